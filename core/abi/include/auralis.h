/* auralis.h: the plugin interface of Auralis, ABI 1, for C99 and C++.
 *
 * Made from the tables of the crate auralis-abi: do not edit. A released table never changes; what
 * is new is a new table under a new name. examples/plugin-c of the repository is a whole plugin.
 *
 * A plugin is a shared library that
 *   - exports one symbol, auralis_plugin_v1: see AURALIS_EXPORT_PLUGIN at the end of this file;
 *   - carries its manifest as data, so that a host can read it without running code: see
 *     AURALIS_MANIFEST at the end of this file;
 *   - answers get_interface(name) with a table for each name that it serves, "backends/1" at
 *     least, and with NULL for every other name.
 *
 * A NULL function in a table of accelerators means: not offered. So does such a table that is not
 * served. What is not offered is taken from the next backend. The tables of buffer pools, caches,
 * executors and profilers are whole: one that is missing, or a NULL in it, rejects the backend.
 * A function follows the method of the same name of the trait in the crate auralis-core: its
 * meaning, its errors, its error bound.
 *
 * What crosses: numbers, slices {ptr, len}, handles, and pairs {context, function}. A slice of
 * length 0 may have any pointer, NULL included. What is const is read; what is not is read and
 * written by the callee alone, and only until it returns. Two slices of one call never overlap. A
 * code that the callee does not know is answered with AURALIS_STATUS_UNSUPPORTED. A text is UTF-8
 * with a length and no zero at its end.
 *
 * Who frees what: each side frees what it made; what the other side keeps comes with a release.
 *   samples, lists, options, message, place of a result    the host's, during the call
 *   instance        the plugin's, from build until destroy of "backends/1"
 *   plan            the plugin's, from create until destroy of its table; may outlive the instance
 *   lent buffer     the plugin's, until the host calls its release; may outlive the instance
 *   AuralisOwned*   belongs to whoever made it, until the other side calls its release, once
 *   task            the host's, until for_ranges returns
 *   sink of the log the host's, for ever
 *   tables, headers, texts of a backend's record, variant  the plugin's, for ever: a plugin is
 *                   never unloaded
 *
 * Threads: every function is re-entrant. An instance may be used by any number of threads at once,
 * a plan by one thread at a time. What runs per block neither allocates nor locks nor does I/O.
 *
 * Errors: a function that fails returns a status and may write a message: UTF-8, at most capacity
 * bytes at ptr, with its full length in message, and in total that of message and causes together.
 * A message may be NULL. On success nothing is written. After AURALIS_STATUS_PANICKED the instance
 * or plan is out of use: it answers every later call the same. No C++ exception leaves a function.
 * Floating-point control (rounding, flush to zero) is left as it was found.
 *
 * Layouts: Rust plugins describe theirs. A plugin in another language sets abi_stable to 0 and
 * layout to NULL, and is held to table_size.
 */
#ifndef AURALIS_H
#define AURALIS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AURALIS_ABI_VERSION 1

/* The period_ns of an operation without a period. */
#define AURALIS_NO_PERIOD UINT64_C(18446744073709551615)
/* The deadline_misses of an operation without a period. */
#define AURALIS_NOT_COUNTED UINT64_C(18446744073709551615)

/* How a call ended. */
typedef uint32_t AuralisStatus;
#define AURALIS_STATUS_OK UINT32_C(0)
#define AURALIS_STATUS_INVALID_INPUT UINT32_C(1)
#define AURALIS_STATUS_UNSUPPORTED UINT32_C(2)
#define AURALIS_STATUS_UNAVAILABLE UINT32_C(3)
#define AURALIS_STATUS_NOT_FOUND UINT32_C(4)
#define AURALIS_STATUS_CONFIG UINT32_C(5)
#define AURALIS_STATUS_IO UINT32_C(6)
#define AURALIS_STATUS_CORRUPT UINT32_C(7)
#define AURALIS_STATUS_PLUGIN UINT32_C(8)
#define AURALIS_STATUS_PANICKED UINT32_C(9)
#define AURALIS_STATUS_EXHAUSTED UINT32_C(10)
#define AURALIS_STATUS_INTERRUPTED UINT32_C(11)

/* The level of an event: 1 error, 2 warning, 3 information, 4 debugging, 5 tracing; as the most
 * detailed one that is wanted also 0, none. */
typedef uint32_t AuralisLevelCode;
#define AURALIS_LEVEL_OFF UINT32_C(0)
#define AURALIS_LEVEL_ERROR UINT32_C(1)
#define AURALIS_LEVEL_WARN UINT32_C(2)
#define AURALIS_LEVEL_INFO UINT32_C(3)
#define AURALIS_LEVEL_DEBUG UINT32_C(4)
#define AURALIS_LEVEL_TRACE UINT32_C(5)

/* The code of a Window. */
typedef uint32_t AuralisWindowCode;
#define AURALIS_WINDOW_HANN UINT32_C(0)
#define AURALIS_WINDOW_HAMMING UINT32_C(1)
#define AURALIS_WINDOW_BLACKMAN UINT32_C(2)
#define AURALIS_WINDOW_BLACKMAN_HARRIS UINT32_C(3)

/* The code of a ConvolutionMode. */
typedef uint32_t AuralisConvolutionModeCode;
#define AURALIS_CONVOLUTION_MODE_SAME UINT32_C(0)
#define AURALIS_CONVOLUTION_MODE_FULL UINT32_C(1)
#define AURALIS_CONVOLUTION_MODE_VALID UINT32_C(2)

/* The code of a Latency. */
typedef uint32_t AuralisLatencyCode;
#define AURALIS_LATENCY_ZERO UINT32_C(0)
#define AURALIS_LATENCY_ONE_BLOCK UINT32_C(1)

/* The code of Contents. */
typedef uint32_t AuralisContentsCode;
#define AURALIS_CONTENTS_STALE UINT32_C(0)
#define AURALIS_CONTENTS_ZEROED UINT32_C(1)

/* The code of an Admission. */
typedef uint32_t AuralisAdmissionCode;
#define AURALIS_ADMISSION_STORED UINT32_C(0)
#define AURALIS_ADMISSION_TOO_LARGE UINT32_C(1)
#define AURALIS_ADMISSION_REFUSED UINT32_C(2)

typedef struct AuralisSliceU8 AuralisSliceU8;
typedef struct AuralisTypeLayout AuralisTypeLayout;
typedef struct AuralisInterfaceHeader AuralisInterfaceHeader;
typedef struct AuralisPluginHeader AuralisPluginHeader;
typedef struct AuralisSliceSliceU8 AuralisSliceSliceU8;
typedef struct AuralisBackendRecord AuralisBackendRecord;
typedef struct AuralisMessage AuralisMessage;
/* A built backend in the plugin, opaque to the host. */
typedef struct AuralisInstance AuralisInstance;
typedef struct AuralisBuiltBackend AuralisBuiltBackend;
typedef struct AuralisBackendsV1 AuralisBackendsV1;
typedef struct AuralisLogSink AuralisLogSink;
typedef struct AuralisLogV1 AuralisLogV1;
typedef struct AuralisSliceMutF32 AuralisSliceMutF32;
typedef struct AuralisSliceF32 AuralisSliceF32;
typedef struct AuralisMinMax AuralisMinMax;
typedef struct AuralisSliceSliceF32 AuralisSliceSliceF32;
typedef struct AuralisSliceSliceMutF32 AuralisSliceSliceMutF32;
typedef struct AuralisSliceI16 AuralisSliceI16;
typedef struct AuralisSliceU8x3 AuralisSliceU8x3;
typedef struct AuralisSliceI32 AuralisSliceI32;
typedef struct AuralisSliceMutI16 AuralisSliceMutI16;
typedef struct AuralisSliceMutU8x3 AuralisSliceMutU8x3;
typedef struct AuralisSliceMutI32 AuralisSliceMutI32;
typedef struct AuralisComplexF32 AuralisComplexF32;
typedef struct AuralisSliceMutComplexF32 AuralisSliceMutComplexF32;
typedef struct AuralisSliceComplexF32 AuralisSliceComplexF32;
typedef struct AuralisSlicesV1 AuralisSlicesV1;
typedef struct AuralisMathV1 AuralisMathV1;
typedef struct AuralisConvolveV1 AuralisConvolveV1;
typedef struct AuralisSliceMutF64 AuralisSliceMutF64;
typedef struct AuralisSliceF64 AuralisSliceF64;
typedef struct AuralisF64V1 AuralisF64V1;
/* A planned object in the plugin, opaque to the host. */
typedef struct AuralisPlan AuralisPlan;
typedef struct AuralisComplexFftFunctionsF32 AuralisComplexFftFunctionsF32;
typedef struct AuralisComplexFftV1 AuralisComplexFftV1;
typedef struct AuralisRealFftFunctionsF32 AuralisRealFftFunctionsF32;
typedef struct AuralisRealFftV1 AuralisRealFftV1;
typedef struct AuralisComplexF64 AuralisComplexF64;
typedef struct AuralisSliceMutComplexF64 AuralisSliceMutComplexF64;
typedef struct AuralisComplexFftFunctionsF64 AuralisComplexFftFunctionsF64;
typedef struct AuralisSliceComplexF64 AuralisSliceComplexF64;
typedef struct AuralisRealFftFunctionsF64 AuralisRealFftFunctionsF64;
typedef struct AuralisFftF64V1 AuralisFftF64V1;
typedef struct AuralisConvolverV1 AuralisConvolverV1;
typedef struct AuralisBiquad AuralisBiquad;
typedef struct AuralisSliceBiquad AuralisSliceBiquad;
typedef struct AuralisBlock AuralisBlock;
typedef struct AuralisBiquadsV1 AuralisBiquadsV1;
typedef struct AuralisFirV1 AuralisFirV1;
typedef struct AuralisBuffer AuralisBuffer;
typedef struct AuralisPoolStats AuralisPoolStats;
typedef struct AuralisBufferPoolV1 AuralisBufferPoolV1;
typedef struct AuralisOwnedU8 AuralisOwnedU8;
typedef struct AuralisLookup AuralisLookup;
typedef struct AuralisCacheStats AuralisCacheStats;
typedef struct AuralisCacheV1 AuralisCacheV1;
typedef struct AuralisTask AuralisTask;
typedef struct AuralisExecutorV1 AuralisExecutorV1;
typedef struct AuralisOperationRecord AuralisOperationRecord;
typedef struct AuralisOwnedOperationRecord AuralisOwnedOperationRecord;
typedef struct AuralisReportRecord AuralisReportRecord;
typedef struct AuralisEventRecord AuralisEventRecord;
typedef struct AuralisOwnedEventRecord AuralisOwnedEventRecord;
typedef struct AuralisProfilerV1 AuralisProfilerV1;
typedef struct AuralisParameterRecord AuralisParameterRecord;
typedef struct AuralisSliceParameterRecord AuralisSliceParameterRecord;
typedef struct AuralisVariantRecord AuralisVariantRecord;
typedef struct AuralisSliceVariantRecord AuralisSliceVariantRecord;
typedef struct AuralisUserKernelRecord AuralisUserKernelRecord;
typedef struct AuralisUserKernelsV1 AuralisUserKernelsV1;

/* Elements that the callee reads during the call. */
struct AuralisSliceU8 {
    /* The first element; anything where there is none. */
    const uint8_t *ptr;
    /* The number of elements. */
    size_t len;
};

/* One table and what it looks like. */
struct AuralisInterfaceHeader {
    /* The size of this structure in the plugin. */
    size_t size;
    /* The name of the interface, with its version. */
    AuralisSliceU8 id;
    /* The layout of the table, where the plugin's abi_stable is not 0. */
    const AuralisTypeLayout *layout;
    /* The size of the table. */
    size_t table_size;
    /* The table. */
    const void *table;
};

/* What a plugin exports under auralis_plugin_v1.
 *
 * magic, size and abi stand at these places in every version to come. */
struct AuralisPluginHeader {
    /* The letters auralis and a zero. */
    uint8_t magic[8];
    /* The size of this structure in the plugin. */
    uint32_t size;
    /* AURALIS_ABI_VERSION of the plugin. */
    uint32_t abi;
    /* ABI_STABLE_LINE of the plugin, or 0 for no layout descriptions. */
    uint32_t abi_stable;
    /* The name of the plugin's crate. */
    AuralisSliceU8 name;
    /* The version of that crate. */
    AuralisSliceU8 version;
    /* The target triple that it was compiled for. */
    AuralisSliceU8 target;
    /* What a panic does: unwind or abort. */
    AuralisSliceU8 panic;
    /* The table of this name, or NULL. */
    const AuralisInterfaceHeader *(*get_interface)(AuralisSliceU8 name);
};

/* Elements that the callee reads during the call. */
struct AuralisSliceSliceU8 {
    /* The first element; anything where there is none. */
    const AuralisSliceU8 *ptr;
    /* The number of elements. */
    size_t len;
};

/* What a plugin says of one backend: Descriptor in wire form. */
struct AuralisBackendRecord {
    /* The name of its kind: accelerator, buffer_pool, cache, executor or profiler. A host
     * passes over kinds that it does not know. */
    AuralisSliceU8 kind;
    /* Its id, unique within its kind. */
    AuralisSliceU8 id;
    /* What it is, in one line. */
    AuralisSliceU8 summary;
    /* The version of the crate that brings it. */
    AuralisSliceU8 version;
    /* Its rank. */
    int32_t rank;
    /* The names of the CPU features that it needs. */
    AuralisSliceSliceU8 requires_;
    /* What it offers: for an accelerator, the names of its kernels. */
    AuralisSliceSliceU8 capabilities;
    /* The JSON Schema of its options. */
    AuralisSliceU8 options_schema;
};

/* The caller's buffer for what went wrong: first the message with its context, then the causes.
 * Nothing is written on success. */
struct AuralisMessage {
    /* The buffer. */
    uint8_t *ptr;
    /* Its size in bytes. */
    size_t capacity;
    /* The length of the message: UTF-8, more than was written if the buffer was too small. */
    size_t message;
    /* The length of message and causes together. */
    size_t total;
};

/* A backend that was built. */
struct AuralisBuiltBackend {
    /* The instance. */
    const AuralisInstance *instance;
    /* Accelerator::variant; empty for the other kinds. */
    AuralisSliceU8 variant;
};

/* The backends of a plugin. */
struct AuralisBackendsV1 {
    /* How many there are. */
    size_t (*count)(void);
    /* Fills backend with what is to be said of the one at index. */
    AuralisStatus (*describe)(size_t index, AuralisBackendRecord *backend, AuralisMessage *message);
    /* Builds the one at index from its options and its kind's settings, both a JSON object, for
     * the CPU features of these names: the plugin uses no other. Names that it does not know
     * are features that it does not use. */
    AuralisStatus (*build)(
        size_t index,
        AuralisSliceU8 options,
        AuralisSliceU8 settings,
        AuralisSliceSliceU8 cpu,
        AuralisBuiltBackend *built,
        AuralisMessage *message);
    /* Destroys an instance of the one at index; NULL is passed over. */
    void (*destroy)(size_t index, const AuralisInstance *instance);
};
#define AURALIS_BACKENDS_V1 "backends/1"

/* Where a plugin's events go. */
struct AuralisLogSink {
    /* What write takes first. It lives for ever. */
    const void *context;
    /* The most detailed level that the host wants; the plugin forwards no other. */
    AuralisLevelCode level;
    /* Takes one event: where in the plugin it comes from, and what it says. The texts live
     * during the call. Any thread may call it; it always returns. */
    void (*write)(
        const void *context,
        AuralisLevelCode level,
        AuralisSliceU8 target,
        AuralisSliceU8 text);
};

/* The log of a plugin. A plugin that has none leaves the table out. */
struct AuralisLogV1 {
    /* Sends events to sink from now on, in the place of an earlier one. */
    AuralisStatus (*install)(AuralisLogSink sink, AuralisMessage *message);
};
#define AURALIS_LOG_V1 "log/1"

/* Elements that the callee alone reads and writes during the call. */
struct AuralisSliceMutF32 {
    /* The first element; anything where there is none. */
    float *ptr;
    /* The number of elements. */
    size_t len;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceF32 {
    /* The first element; anything where there is none. */
    const float *ptr;
    /* The number of elements. */
    size_t len;
};

/* The smallest and the largest sample. */
struct AuralisMinMax {
    /* The smallest. */
    float min;
    /* The largest. */
    float max;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceSliceF32 {
    /* The first element; anything where there is none. */
    const AuralisSliceF32 *ptr;
    /* The number of elements. */
    size_t len;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceSliceMutF32 {
    /* The first element; anything where there is none. */
    const AuralisSliceMutF32 *ptr;
    /* The number of elements. */
    size_t len;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceI16 {
    /* The first element; anything where there is none. */
    const int16_t *ptr;
    /* The number of elements. */
    size_t len;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceU8x3 {
    /* The first element; anything where there is none. */
    const uint8_t (*ptr)[3];
    /* The number of elements. */
    size_t len;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceI32 {
    /* The first element; anything where there is none. */
    const int32_t *ptr;
    /* The number of elements. */
    size_t len;
};

/* Elements that the callee alone reads and writes during the call. */
struct AuralisSliceMutI16 {
    /* The first element; anything where there is none. */
    int16_t *ptr;
    /* The number of elements. */
    size_t len;
};

/* Elements that the callee alone reads and writes during the call. */
struct AuralisSliceMutU8x3 {
    /* The first element; anything where there is none. */
    uint8_t (*ptr)[3];
    /* The number of elements. */
    size_t len;
};

/* Elements that the callee alone reads and writes during the call. */
struct AuralisSliceMutI32 {
    /* The first element; anything where there is none. */
    int32_t *ptr;
    /* The number of elements. */
    size_t len;
};

/* A complex number. */
struct AuralisComplexF32 {
    /* The real part. */
    float re;
    /* The imaginary part. */
    float im;
};

/* Elements that the callee alone reads and writes during the call. */
struct AuralisSliceMutComplexF32 {
    /* The first element; anything where there is none. */
    AuralisComplexF32 *ptr;
    /* The number of elements. */
    size_t len;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceComplexF32 {
    /* The first element; anything where there is none. */
    const AuralisComplexF32 *ptr;
    /* The number of elements. */
    size_t len;
};

/* Kernels on f32 slices. */
struct AuralisSlicesV1 {
    AuralisStatus (*scale)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 data,
        float gain,
        AuralisMessage *message);
    AuralisStatus (*ramp)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 data,
        float from,
        float to,
        AuralisMessage *message);
    AuralisStatus (*channel_gains)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 interleaved,
        AuralisSliceF32 gains,
        AuralisMessage *message);
    AuralisStatus (*add)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 dst,
        AuralisSliceF32 src,
        AuralisMessage *message);
    AuralisStatus (*mix)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 dst,
        AuralisSliceF32 src,
        float gain,
        AuralisMessage *message);
    AuralisStatus (*mul)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 dst,
        AuralisSliceF32 src,
        AuralisMessage *message);
    AuralisStatus (*dot)(
        const AuralisInstance *instance,
        AuralisSliceF32 a,
        AuralisSliceF32 b,
        float *result,
        AuralisMessage *message);
    AuralisStatus (*sum_squares)(
        const AuralisInstance *instance,
        AuralisSliceF32 data,
        float *result,
        AuralisMessage *message);
    AuralisStatus (*peak)(
        const AuralisInstance *instance,
        AuralisSliceF32 data,
        float *result,
        AuralisMessage *message);
    AuralisStatus (*min_max)(
        const AuralisInstance *instance,
        AuralisSliceF32 data,
        AuralisMinMax *result,
        AuralisMessage *message);
    AuralisStatus (*clip)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 data,
        float low,
        float high,
        AuralisMessage *message);
    AuralisStatus (*interleave)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 dst,
        AuralisSliceSliceF32 planes,
        AuralisMessage *message);
    AuralisStatus (*deinterleave)(
        const AuralisInstance *instance,
        AuralisSliceSliceMutF32 planes,
        AuralisSliceF32 src,
        AuralisMessage *message);
    AuralisStatus (*f32_from_i16)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 dst,
        AuralisSliceI16 src,
        AuralisMessage *message);
    AuralisStatus (*f32_from_i24)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 dst,
        AuralisSliceU8x3 src,
        AuralisMessage *message);
    AuralisStatus (*f32_from_i32)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 dst,
        AuralisSliceI32 src,
        AuralisMessage *message);
    AuralisStatus (*i16_from_f32)(
        const AuralisInstance *instance,
        AuralisSliceMutI16 dst,
        AuralisSliceF32 src,
        AuralisMessage *message);
    AuralisStatus (*i24_from_f32)(
        const AuralisInstance *instance,
        AuralisSliceMutU8x3 dst,
        AuralisSliceF32 src,
        AuralisMessage *message);
    AuralisStatus (*i32_from_f32)(
        const AuralisInstance *instance,
        AuralisSliceMutI32 dst,
        AuralisSliceF32 src,
        AuralisMessage *message);
    AuralisStatus (*complex_mul)(
        const AuralisInstance *instance,
        AuralisSliceMutComplexF32 dst,
        AuralisSliceComplexF32 a,
        AuralisSliceComplexF32 b,
        AuralisMessage *message);
    AuralisStatus (*complex_mul_add)(
        const AuralisInstance *instance,
        AuralisSliceMutComplexF32 dst,
        AuralisSliceComplexF32 a,
        AuralisSliceComplexF32 b,
        AuralisMessage *message);
    AuralisStatus (*window)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 dst,
        AuralisWindowCode window,
        AuralisMessage *message);
    AuralisStatus (*moving_rms)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 dst,
        AuralisSliceF32 src,
        size_t window,
        AuralisMessage *message);
};
#define AURALIS_SLICES_V1 "accelerator.slices/1"

/* Functions of single samples. */
struct AuralisMathV1 {
    AuralisStatus (*tanh)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 data,
        AuralisMessage *message);
    AuralisStatus (*exp)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 data,
        AuralisMessage *message);
    AuralisStatus (*ln)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 data,
        AuralisMessage *message);
};
#define AURALIS_MATH_V1 "accelerator.math/1"

/* Whole-signal convolution. */
struct AuralisConvolveV1 {
    AuralisStatus (*convolve)(
        const AuralisInstance *instance,
        AuralisSliceMutF32 dst,
        AuralisSliceF32 signal,
        AuralisSliceF32 kernel,
        AuralisConvolutionModeCode mode,
        AuralisMessage *message);
};
#define AURALIS_CONVOLVE_V1 "accelerator.convolve/1"

/* Elements that the callee alone reads and writes during the call. */
struct AuralisSliceMutF64 {
    /* The first element; anything where there is none. */
    double *ptr;
    /* The number of elements. */
    size_t len;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceF64 {
    /* The first element; anything where there is none. */
    const double *ptr;
    /* The number of elements. */
    size_t len;
};

/* Kernels in double precision. */
struct AuralisF64V1 {
    AuralisStatus (*scale_f64)(
        const AuralisInstance *instance,
        AuralisSliceMutF64 data,
        double gain,
        AuralisMessage *message);
    AuralisStatus (*channel_gains_f64)(
        const AuralisInstance *instance,
        AuralisSliceMutF64 interleaved,
        AuralisSliceF64 gains,
        AuralisMessage *message);
    AuralisStatus (*moving_rms_f64)(
        const AuralisInstance *instance,
        AuralisSliceMutF64 dst,
        AuralisSliceF64 src,
        size_t window,
        AuralisMessage *message);
    AuralisStatus (*convolve_f64)(
        const AuralisInstance *instance,
        AuralisSliceMutF64 dst,
        AuralisSliceF64 signal,
        AuralisSliceF64 kernel,
        AuralisConvolutionModeCode mode,
        AuralisMessage *message);
};
#define AURALIS_F64_V1 "accelerator.f64/1"

/* The functions of one sort of complex Fourier transform. */
struct AuralisComplexFftFunctionsF32 {
    /* Plans transforms of len points. */
    AuralisStatus (*create)(
        const AuralisInstance *instance,
        size_t len,
        AuralisPlan **plan,
        AuralisMessage *message);
    /* ComplexFft::forward. */
    AuralisStatus (*forward)(
        AuralisPlan *plan,
        AuralisSliceMutComplexF32 data,
        AuralisMessage *message);
    /* ComplexFft::inverse. */
    AuralisStatus (*inverse)(
        AuralisPlan *plan,
        AuralisSliceMutComplexF32 data,
        AuralisMessage *message);
    /* Destroys a plan; NULL is passed over. */
    void (*destroy)(AuralisPlan *plan);
};

/* Complex Fourier transforms of f32. */
struct AuralisComplexFftV1 {
    /* The functions. */
    AuralisComplexFftFunctionsF32 functions;
};
#define AURALIS_COMPLEX_FFT_V1 "accelerator.complex-fft/1"

/* The functions of one sort of real Fourier transform. */
struct AuralisRealFftFunctionsF32 {
    /* Plans transforms of len samples. */
    AuralisStatus (*create)(
        const AuralisInstance *instance,
        size_t len,
        AuralisPlan **plan,
        AuralisMessage *message);
    /* RealFft::forward. */
    AuralisStatus (*forward)(
        AuralisPlan *plan,
        AuralisSliceMutComplexF32 spectrum,
        AuralisSliceF32 samples,
        AuralisMessage *message);
    /* RealFft::inverse. */
    AuralisStatus (*inverse)(
        AuralisPlan *plan,
        AuralisSliceMutF32 samples,
        AuralisSliceComplexF32 spectrum,
        AuralisMessage *message);
    /* Destroys a plan; NULL is passed over. */
    void (*destroy)(AuralisPlan *plan);
};

/* Real Fourier transforms of f32. */
struct AuralisRealFftV1 {
    /* The functions. */
    AuralisRealFftFunctionsF32 functions;
};
#define AURALIS_REAL_FFT_V1 "accelerator.real-fft/1"

/* A complex number. */
struct AuralisComplexF64 {
    /* The real part. */
    double re;
    /* The imaginary part. */
    double im;
};

/* Elements that the callee alone reads and writes during the call. */
struct AuralisSliceMutComplexF64 {
    /* The first element; anything where there is none. */
    AuralisComplexF64 *ptr;
    /* The number of elements. */
    size_t len;
};

/* The functions of one sort of complex Fourier transform. */
struct AuralisComplexFftFunctionsF64 {
    /* Plans transforms of len points. */
    AuralisStatus (*create)(
        const AuralisInstance *instance,
        size_t len,
        AuralisPlan **plan,
        AuralisMessage *message);
    /* ComplexFft::forward. */
    AuralisStatus (*forward)(
        AuralisPlan *plan,
        AuralisSliceMutComplexF64 data,
        AuralisMessage *message);
    /* ComplexFft::inverse. */
    AuralisStatus (*inverse)(
        AuralisPlan *plan,
        AuralisSliceMutComplexF64 data,
        AuralisMessage *message);
    /* Destroys a plan; NULL is passed over. */
    void (*destroy)(AuralisPlan *plan);
};

/* Elements that the callee reads during the call. */
struct AuralisSliceComplexF64 {
    /* The first element; anything where there is none. */
    const AuralisComplexF64 *ptr;
    /* The number of elements. */
    size_t len;
};

/* The functions of one sort of real Fourier transform. */
struct AuralisRealFftFunctionsF64 {
    /* Plans transforms of len samples. */
    AuralisStatus (*create)(
        const AuralisInstance *instance,
        size_t len,
        AuralisPlan **plan,
        AuralisMessage *message);
    /* RealFft::forward. */
    AuralisStatus (*forward)(
        AuralisPlan *plan,
        AuralisSliceMutComplexF64 spectrum,
        AuralisSliceF64 samples,
        AuralisMessage *message);
    /* RealFft::inverse. */
    AuralisStatus (*inverse)(
        AuralisPlan *plan,
        AuralisSliceMutF64 samples,
        AuralisSliceComplexF64 spectrum,
        AuralisMessage *message);
    /* Destroys a plan; NULL is passed over. */
    void (*destroy)(AuralisPlan *plan);
};

/* Fourier transforms of f64. */
struct AuralisFftF64V1 {
    /* The functions of complex transforms. */
    AuralisComplexFftFunctionsF64 complex_;
    /* The functions of real transforms. */
    AuralisRealFftFunctionsF64 real;
};
#define AURALIS_FFT_F64_V1 "accelerator.fft-f64/1"

/* Streaming convolution. */
struct AuralisConvolverV1 {
    /* Plans a convolver, see ConvolverSpec. frames_behind receives its latency. */
    AuralisStatus (*create)(
        const AuralisInstance *instance,
        AuralisSliceF32 impulse,
        size_t block,
        AuralisLatencyCode latency,
        AuralisPlan **plan,
        size_t *frames_behind,
        AuralisMessage *message);
    /* Convolver::process. */
    AuralisStatus (*process)(
        AuralisPlan *plan,
        AuralisSliceMutF32 dst,
        AuralisSliceF32 src,
        AuralisMessage *message);
    /* Convolver::reset. */
    AuralisStatus (*reset)(AuralisPlan *plan, AuralisMessage *message);
    /* Destroys a plan; NULL is passed over. */
    void (*destroy)(AuralisPlan *plan);
};
#define AURALIS_CONVOLVER_V1 "accelerator.convolver/1"

/* A second-order section (b0 + b1 z⁻¹ + b2 z⁻²) / (1 + a1 z⁻¹ + a2 z⁻²). */
struct AuralisBiquad {
    /* Feed-forward coefficient of the sample itself. */
    double b0;
    /* Feed-forward coefficient of the sample before. */
    double b1;
    /* Feed-forward coefficient of the sample before that. */
    double b2;
    /* Feedback coefficient of the last output. */
    double a1;
    /* Feedback coefficient of the output before. */
    double a2;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceBiquad {
    /* The first element; anything where there is none. */
    const AuralisBiquad *ptr;
    /* The number of elements. */
    size_t len;
};

/* Planar audio that the callee reads and writes: channel c begins at sample c * stride. */
struct AuralisBlock {
    /* All samples, with what lies between the planes. */
    AuralisSliceMutF32 samples;
    /* The number of planes, 1 to 64. */
    size_t channels;
    /* The number of samples of each plane. */
    size_t frames;
    /* From the first sample of one plane to that of the next. */
    size_t stride;
};

/* Cascades of second-order sections. */
struct AuralisBiquadsV1 {
    /* Plans a cascade. */
    AuralisStatus (*create)(
        const AuralisInstance *instance,
        AuralisSliceBiquad sections,
        size_t channels,
        AuralisPlan **plan,
        AuralisMessage *message);
    /* BiquadCascade::process. */
    AuralisStatus (*process)(AuralisPlan *plan, AuralisBlock block, AuralisMessage *message);
    /* BiquadCascade::reset. */
    AuralisStatus (*reset)(AuralisPlan *plan, AuralisMessage *message);
    /* Destroys a plan; NULL is passed over. */
    void (*destroy)(AuralisPlan *plan);
};
#define AURALIS_BIQUADS_V1 "accelerator.biquads/1"

/* Streaming filters in direct form. */
struct AuralisFirV1 {
    /* Plans a filter. */
    AuralisStatus (*create)(
        const AuralisInstance *instance,
        AuralisSliceF32 taps,
        AuralisPlan **plan,
        AuralisMessage *message);
    /* Fir::process. */
    AuralisStatus (*process)(
        AuralisPlan *plan,
        AuralisSliceMutF32 dst,
        AuralisSliceF32 src,
        AuralisMessage *message);
    /* Fir::reset. */
    AuralisStatus (*reset)(AuralisPlan *plan, AuralisMessage *message);
    /* Destroys a plan; NULL is passed over. */
    void (*destroy)(AuralisPlan *plan);
};
#define AURALIS_FIR_V1 "accelerator.fir/1"

/* A lent buffer: Buffer in wire form. */
struct AuralisBuffer {
    /* The first sample: never NULL and aligned to 64 bytes, even where there is none. */
    float *ptr;
    /* The number of samples, exactly as many as were asked for. */
    size_t len;
    /* The number of samples that the memory could hold; all of them are initialised. */
    size_t capacity;
    /* What release takes first: it keeps alive what it needs, the instance included. */
    const void *owner;
    /* What release takes last. */
    size_t token;
    /* Takes the buffer back. The host calls it once, on any thread, even after the instance was
     * destroyed or put out of use. No panic leaves it. */
    void (*release)(const void *owner, float *ptr, size_t capacity, size_t token);
};

/* PoolStats in wire form. */
struct AuralisPoolStats {
    /* The budget in bytes. */
    size_t capacity_bytes;
    /* Bytes that the pool owns now, lent or not. */
    size_t bytes;
    /* Buffers lent now. */
    size_t in_use;
    /* The most buffers that were lent at once. */
    size_t peak;
    /* Buffers lent in all. */
    uint64_t acquired;
    /* Requests that found no prepared buffer. */
    uint64_t misses;
};

/* The methods of BufferPool. acquire answers an empty pool with AURALIS_STATUS_EXHAUSTED, whose
 * message the host does not read, so that nothing is allocated. is_real_time answers 0 or 1. */
struct AuralisBufferPoolV1 {
    AuralisStatus (*prepare)(
        const AuralisInstance *instance,
        size_t len,
        size_t count,
        AuralisMessage *message);
    AuralisStatus (*acquire)(
        const AuralisInstance *instance,
        size_t len,
        AuralisContentsCode contents,
        AuralisBuffer *result,
        AuralisMessage *message);
    AuralisStatus (*is_real_time)(
        const AuralisInstance *instance,
        uint8_t *result,
        AuralisMessage *message);
    AuralisStatus (*stats)(
        const AuralisInstance *instance,
        AuralisPoolStats *result,
        AuralisMessage *message);
};
#define AURALIS_BUFFER_POOL_V1 "buffer-pool/1"

/* Elements that belong to the side that made them, and that the other side reads until it
 * releases them, once. */
struct AuralisOwnedU8 {
    /* The first element; anything where there is none. */
    const uint8_t *ptr;
    /* The number of elements. Nobody changes them before they are released. */
    size_t len;
    /* What release takes. */
    const void *owner;
    /* Gives them back, from any thread. No panic leaves it. NULL: there is nothing to give
     * back. */
    void (*release)(const void *owner);
};

/* What get answers. */
struct AuralisLookup {
    /* The value, which the host releases. Not read where there is none. */
    AuralisOwnedU8 value;
    /* 1 for a hit, 0 for a miss. */
    uint8_t found;
};

/* CacheStats in wire form. */
struct AuralisCacheStats {
    /* The budget in bytes. */
    uint64_t capacity_bytes;
    /* Bytes of live entries. */
    uint64_t bytes;
    /* Live entries. */
    uint64_t entries;
    /* Reads that found a value. */
    uint64_t hits;
    /* Reads that found none. */
    uint64_t misses;
    /* Entries removed to make room. */
    uint64_t evictions;
    /* Entries removed because their time was over. */
    uint64_t expirations;
    /* Values that were too large to be stored. */
    uint64_t too_large;
    /* Troubles of the store that were turned into misses or refusals. */
    uint64_t errors;
};

/* The methods of Cache. A key is 32 bytes that live during the call. The value of put belongs
 * to the plugin from the call on, whatever it answers: it releases it once. remove answers 0 or
 * 1. */
struct AuralisCacheV1 {
    AuralisStatus (*get)(
        const AuralisInstance *instance,
        const uint8_t (*key)[32],
        AuralisLookup *result,
        AuralisMessage *message);
    AuralisStatus (*put)(
        const AuralisInstance *instance,
        const uint8_t (*key)[32],
        AuralisOwnedU8 value,
        AuralisAdmissionCode *result,
        AuralisMessage *message);
    AuralisStatus (*remove)(
        const AuralisInstance *instance,
        const uint8_t (*key)[32],
        uint8_t *result,
        AuralisMessage *message);
    AuralisStatus (*sweep)(
        const AuralisInstance *instance,
        size_t *result,
        AuralisMessage *message);
    AuralisStatus (*stats)(
        const AuralisInstance *instance,
        AuralisCacheStats *result,
        AuralisMessage *message);
};
#define AURALIS_CACHE_V1 "cache/1"

/* The host's work over a range of indices. */
struct AuralisTask {
    /* What call takes first. It lives until for_ranges returns. */
    const void *context;
    /* Works on start..end, from any thread, several at once. It always returns: the host keeps
     * its own panics and reports them itself, so that for the executor no range ever fails. */
    void (*call)(const void *context, size_t start, size_t end);
};

/* The methods of Executor. is_real_time answers 0 or 1. */
struct AuralisExecutorV1 {
    AuralisStatus (*for_ranges)(
        const AuralisInstance *instance,
        size_t len,
        size_t grain,
        AuralisTask task,
        AuralisMessage *message);
    AuralisStatus (*threads)(
        const AuralisInstance *instance,
        size_t *result,
        AuralisMessage *message);
    AuralisStatus (*is_real_time)(
        const AuralisInstance *instance,
        uint8_t *result,
        AuralisMessage *message);
};
#define AURALIS_EXECUTOR_V1 "executor/1"

/* profiler::OperationReport in wire form. Times are in nanoseconds. */
struct AuralisOperationRecord {
    /* The name it was registered with. It lives as long as the list of records. */
    AuralisSliceU8 name;
    /* Runs. */
    uint64_t count;
    /* The sum of all runs. */
    uint64_t total_ns;
    /* The mean run. */
    double mean_ns;
    /* The population standard deviation. */
    double standard_deviation_ns;
    /* The shortest run. */
    uint64_t min_ns;
    /* The longest run. */
    uint64_t max_ns;
    /* The median. */
    uint64_t p50_ns;
    /* The 90th percentile. */
    uint64_t p90_ns;
    /* The 99th percentile. */
    uint64_t p99_ns;
    /* The 99.9th percentile. */
    uint64_t p999_ns;
    /* Runs that took longer than their period; AURALIS_NOT_COUNTED without a period. */
    uint64_t deadline_misses;
    /* Time taken over playing time; NaN without a period. */
    double real_time_factor;
};

/* Elements that belong to the side that made them, and that the other side reads until it
 * releases them, once. */
struct AuralisOwnedOperationRecord {
    /* The first element; anything where there is none. */
    const AuralisOperationRecord *ptr;
    /* The number of elements. Nobody changes them before they are released. */
    size_t len;
    /* What release takes. */
    const void *owner;
    /* Gives them back, from any thread. No panic leaves it. NULL: there is nothing to give
     * back. */
    void (*release)(const void *owner);
};

/* profiler::Report in wire form. */
struct AuralisReportRecord {
    /* One record per registered operation, in the order of registration. The host releases
     * them. */
    AuralisOwnedOperationRecord operations;
    /* The memory that the profiler holds, in bytes. */
    size_t memory_bytes;
    /* Names that found the profiler full. */
    uint64_t unnamed;
};

/* profiler::Event in wire form. */
struct AuralisEventRecord {
    /* The operation's index in the report. */
    uint32_t operation;
    /* A small number per thread. */
    uint32_t thread;
    /* When it began, by the host's clock. */
    uint64_t start_ns;
    /* When it ended, by the host's clock. */
    uint64_t end_ns;
};

/* Elements that belong to the side that made them, and that the other side reads until it
 * releases them, once. */
struct AuralisOwnedEventRecord {
    /* The first element; anything where there is none. */
    const AuralisEventRecord *ptr;
    /* The number of elements. Nobody changes them before they are released. */
    size_t len;
    /* What release takes. */
    const void *owner;
    /* Gives them back, from any thread. No panic leaves it. NULL: there is nothing to give
     * back. */
    void (*release)(const void *owner);
};

/* The methods of Profiler. Periods and times are in nanoseconds; an operation without a period
 * has AURALIS_NO_PERIOD. The host releases what report and events give. */
struct AuralisProfilerV1 {
    AuralisStatus (*register_)(
        const AuralisInstance *instance,
        AuralisSliceU8 name,
        uint64_t period_ns,
        uint32_t *result,
        AuralisMessage *message);
    AuralisStatus (*record)(
        const AuralisInstance *instance,
        uint32_t id,
        uint64_t start_ns,
        uint64_t end_ns,
        AuralisMessage *message);
    AuralisStatus (*report)(
        const AuralisInstance *instance,
        AuralisReportRecord *result,
        AuralisMessage *message);
    AuralisStatus (*events)(
        const AuralisInstance *instance,
        AuralisOwnedEventRecord *result,
        AuralisMessage *message);
};
#define AURALIS_PROFILER_V1 "profiler/1"

/* A number that a kernel takes at each call. */
struct AuralisParameterRecord {
    /* Its name. */
    AuralisSliceU8 name;
    /* The least value that the conformance suite tries. */
    float min;
    /* The greatest value that it tries. */
    float max;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceParameterRecord {
    /* The first element; anything where there is none. */
    const AuralisParameterRecord *ptr;
    /* The number of elements. */
    size_t len;
};

/* A form of a kernel for CPUs that have certain features. */
struct AuralisVariantRecord {
    /* Its id, unique within the kernel. */
    AuralisSliceU8 id;
    /* The names of the CPU features that it needs. */
    AuralisSliceSliceU8 requires_;
};

/* Elements that the callee reads during the call. */
struct AuralisSliceVariantRecord {
    /* The first element; anything where there is none. */
    const AuralisVariantRecord *ptr;
    /* The number of elements. */
    size_t len;
};

/* What a plugin says of one kernel: KernelFacts in wire form. */
struct AuralisUserKernelRecord {
    /* Its name, unique among kernels. */
    AuralisSliceU8 name;
    /* What it does, in one line. */
    AuralisSliceU8 summary;
    /* The version of the crate that brings it. */
    AuralisSliceU8 version;
    /* How many sources it reads, at most 64. */
    size_t sources;
    /* What it takes besides samples. */
    AuralisSliceParameterRecord parameters;
    /* Its variants from plain to best. The first is reference and needs nothing. */
    AuralisSliceVariantRecord variants;
    /* How far a variant's sample may be from the reference's, in parts of that. */
    float relative;
    /* How much further it may be. */
    float absolute;
};

/* The kernels of a plugin. What a record points to lives for ever. */
struct AuralisUserKernelsV1 {
    /* How many there are. */
    size_t (*count)(void);
    /* Fills kernel with what is to be said of the one at index. */
    AuralisStatus (*describe)(
        size_t index,
        AuralisUserKernelRecord *kernel,
        AuralisMessage *message);
    /* Runs the kernel at index in the variant at variant, an index of its record's list that
     * the CPU can run: changes data in place. Each of sources has as many samples as data.
     * Another number of sources or parameters than the record says, or another length, is
     * refused. */
    AuralisStatus (*run)(
        size_t index,
        size_t variant,
        AuralisSliceMutF32 data,
        AuralisSliceSliceF32 sources,
        AuralisSliceF32 parameters,
        AuralisMessage *message);
};
#define AURALIS_USER_KERNELS_V1 "user-kernels/1"

/* A text. It must live as long as it is needed: a literal lives for ever. */
typedef AuralisSliceU8 AuralisText;

/* The initializer of a text from a string literal. */
#define AURALIS_TEXT(literal) { (const uint8_t *)(literal), sizeof(literal) - 1 }

/* The target triple that this file is compiled for, which must be the host's. Define it on the
 * command line of the compiler where it is not known here. */
#ifndef AURALIS_TARGET
#if defined(__x86_64__) || defined(_M_X64)
#define AURALIS_ARCHITECTURE "x86_64"
#elif defined(__aarch64__) || defined(_M_ARM64)
#define AURALIS_ARCHITECTURE "aarch64"
#endif
#if !defined(AURALIS_ARCHITECTURE)
#error "define AURALIS_TARGET as the target triple of the host, a string"
#elif defined(__APPLE__)
#define AURALIS_TARGET AURALIS_ARCHITECTURE "-apple-darwin"
#elif defined(_MSC_VER)
#define AURALIS_TARGET AURALIS_ARCHITECTURE "-pc-windows-msvc"
#elif defined(_WIN32)
#define AURALIS_TARGET AURALIS_ARCHITECTURE "-pc-windows-gnu"
#elif defined(__linux__) && defined(__GLIBC__)
#define AURALIS_TARGET AURALIS_ARCHITECTURE "-unknown-linux-gnu"
#elif defined(__linux__)
#define AURALIS_TARGET AURALIS_ARCHITECTURE "-unknown-linux-musl"
#else
#error "define AURALIS_TARGET as the target triple of the host, a string"
#endif
#endif

#define AURALIS_JOINED(a, b) a##b
#define AURALIS_JOIN(a, b) AURALIS_JOINED(a, b)
#define AURALIS_QUOTED(text) #text
#define AURALIS_QUOTE(text) AURALIS_QUOTED(text)

#if defined(_MSC_VER)
#pragma section(".auralis", read)
#define AURALIS_KEEP __declspec(allocate(".auralis"))
#define AURALIS_EXPORT __declspec(dllexport)
#elif defined(__APPLE__)
#define AURALIS_KEEP __attribute__((used, section("__DATA,__auralis")))
#define AURALIS_EXPORT __attribute__((visibility("default")))
#elif defined(_WIN32)
#define AURALIS_KEEP __attribute__((used, section(".auralis")))
#define AURALIS_EXPORT __attribute__((dllexport))
#else
#if defined(__has_attribute)
#if __has_attribute(retain)
#define AURALIS_RETAIN retain,
#endif
#endif
#ifndef AURALIS_RETAIN
#define AURALIS_RETAIN
#endif
#define AURALIS_KEEP __attribute__((used, AURALIS_RETAIN section(".auralis")))
#define AURALIS_EXPORT __attribute__((visibility("default")))
#endif

/* Puts one record of the manifest, a string literal, into the file: one
 *     auralis-plugin {"abi": 1, "name": .., "version": .., "target": .., "panic": "unwind"}
 * and for each backend, in the words of its AuralisBackendRecord, one
 *     auralis-backend {"kind": .., "id": .., "summary": .., "version": .., "rank": ..,
 *                      "requires": [..], "capabilities": [..], "options_schema": {..}}
 * At most one on a line. */
#define AURALIS_MANIFEST(text) \
    AURALIS_KEEP static const char AURALIS_JOIN(auralis_manifest_, __LINE__)[] = text

/* The record of the plugin itself, and room for the seal that `auralis plugin seal` writes. Both are
 * string literals that need no escape in JSON. */
#define AURALIS_MANIFEST_PLUGIN(name, version) \
    AURALIS_MANIFEST("auralis-plugin {\"abi\":" AURALIS_QUOTE(AURALIS_ABI_VERSION) \
        ",\"name\":\"" name "\",\"version\":\"" version "\",\"target\":\"" AURALIS_TARGET \
        "\",\"panic\":\"unwind\"}\0auralis-seal " AURALIS_ZEROS AURALIS_ZEROS)

/* Half of the digits of a seal that is still to be made. */
#define AURALIS_ZEROS "00000000000000000000000000000000"

/* The options_schema of a backend without options. */
#define AURALIS_NO_OPTIONS "{\"type\":\"object\",\"additionalProperties\":false}"

/* The only backend of a plugin, which needs no CPU features: puts its record into the manifest, and
 * defines auralis_count and auralis_describe for "backends/1", which say the same. Its capabilities
 * come twice: as a JSON array in a string literal, then each as an AURALIS_TEXT. rank is a plain
 * number, the rest are string literals that need no escape in JSON, but for options_schema, which
 * is JSON. At the top level of one file. */
#define AURALIS_ONLY_BACKEND(kind, id, summary, version, rank, options_schema, json, ...) \
    static size_t auralis_count(void) { return 1; } \
    static AuralisStatus auralis_describe(size_t index, AuralisBackendRecord *backend, \
                                          AuralisMessage *message) { \
        static const AuralisText capabilities[] = {__VA_ARGS__}; \
        static const AuralisBackendRecord record = { \
            AURALIS_TEXT(kind), AURALIS_TEXT(id), AURALIS_TEXT(summary), AURALIS_TEXT(version), \
            rank, {NULL, 0}, {capabilities, sizeof(capabilities) / sizeof(capabilities[0])}, \
            AURALIS_TEXT(options_schema), \
        }; \
        if (index != 0) \
            return auralis_fail(AURALIS_STATUS_NOT_FOUND, "no backend of this index", message); \
        *backend = record; \
        return AURALIS_STATUS_OK; \
    } \
    AURALIS_MANIFEST("auralis-backend {\"kind\":\"" kind "\",\"id\":\"" id \
        "\",\"summary\":\"" summary "\",\"version\":\"" version "\",\"rank\":" \
        AURALIS_QUOTE(rank) ",\"requires\":[],\"capabilities\":" json \
        ",\"options_schema\":" options_schema "}")

#ifdef __cplusplus
#define AURALIS_EXTERN extern "C"
#else
#define AURALIS_EXTERN extern
#endif

/* Exports the root symbol. get_interface is a function of yours. At the top level of one file. */
#define AURALIS_EXPORT_PLUGIN(name, version, get_interface) \
    AURALIS_EXTERN AURALIS_EXPORT const AuralisPluginHeader auralis_plugin_v1; \
    const AuralisPluginHeader auralis_plugin_v1 = { \
        {'a', 'u', 'r', 'a', 'l', 'i', 's', '\0'}, \
        sizeof(AuralisPluginHeader), AURALIS_ABI_VERSION, 0, AURALIS_TEXT(name), \
        AURALIS_TEXT(version), AURALIS_TEXT(AURALIS_TARGET), AURALIS_TEXT("unwind"), \
        get_interface, \
    }

/* The initializer of an AuralisInterfaceHeader of the table that is a variable of this name. */
#define AURALIS_INTERFACE(id, table) \
    { sizeof(AuralisInterfaceHeader), AURALIS_TEXT(id), NULL, sizeof(table), &(table) }

/* Says why a call failed, as far as the host has room for it, and gives the status back. */
static inline AuralisStatus auralis_fail(AuralisStatus status, const char *why,
                                         AuralisMessage *message) {
    size_t len = strlen(why);
    if (message) {
        memcpy(message->ptr, why, len < message->capacity ? len : message->capacity);
        message->message = message->total = len;
    }
    return status;
}

/* The one of this name among the interfaces that a plugin serves, or NULL: what get_interface
 * answers. */
static inline const AuralisInterfaceHeader *auralis_find(const AuralisInterfaceHeader *served,
                                                         size_t count, AuralisText name) {
    for (size_t i = 0; i < count; i++)
        if (served[i].id.len == name.len && memcmp(served[i].id.ptr, name.ptr, name.len) == 0)
            return &served[i];
    return NULL;
}

#ifdef __cplusplus
}
#endif

#endif
