/* A plugin in C: an accelerator with two kernels. All else comes from the host's other backends.
 *
 *   cc -shared -fPIC -O2 -I core/abi/include examples/plugin-c/gain.c -o libgain.so
 */
#include "auralis.h"

AURALIS_MANIFEST_PLUGIN("gain", "0.1.0");
AURALIS_ONLY_BACKEND("accelerator", "gain", "gain in C", "0.1.0", 5, AURALIS_NO_OPTIONS,
                     "[\"scale\",\"mix\"]", AURALIS_TEXT("scale"), AURALIS_TEXT("mix"));

static AuralisStatus scale(const AuralisInstance *self, AuralisSliceMutF32 data, float gain,
                           AuralisMessage *message) {
    (void)self, (void)message;
    for (size_t i = 0; i < data.len; i++) data.ptr[i] *= gain;
    return AURALIS_STATUS_OK;
}

static AuralisStatus mix(const AuralisInstance *self, AuralisSliceMutF32 dst, AuralisSliceF32 src,
                         float gain, AuralisMessage *message) {
    (void)self;
    if (dst.len != src.len)
        return auralis_fail(AURALIS_STATUS_INVALID_INPUT, "lengths differ", message);
    for (size_t i = 0; i < dst.len; i++) dst.ptr[i] += src.ptr[i] * gain;
    return AURALIS_STATUS_OK;
}

static const AuralisSlicesV1 slices = {.scale = scale, .mix = mix};

static AuralisStatus build(size_t index, AuralisSliceU8 options, AuralisSliceU8 settings,
                           AuralisSliceSliceU8 cpu, AuralisBuiltBackend *built,
                           AuralisMessage *message) {
    static const AuralisBuiltBackend only = {(const AuralisInstance *)&slices, AURALIS_TEXT("c")};
    (void)index, (void)settings, (void)cpu;
    if (options.len != 2) /* An empty JSON object. */
        return auralis_fail(AURALIS_STATUS_CONFIG, "gain has no options", message);
    *built = only;
    return AURALIS_STATUS_OK;
}

static void destroy(size_t index, const AuralisInstance *self) { (void)index, (void)self; }

static const AuralisBackendsV1 backends = {auralis_count, auralis_describe, build, destroy};

static const AuralisInterfaceHeader *get_interface(AuralisText name) {
    static const AuralisInterfaceHeader served[] = {
        AURALIS_INTERFACE(AURALIS_BACKENDS_V1, backends),
        AURALIS_INTERFACE(AURALIS_SLICES_V1, slices)};
    return auralis_find(served, 2, name);
}

AURALIS_EXPORT_PLUGIN("gain", "0.1.0", get_interface);
