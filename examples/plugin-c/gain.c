/* A plugin in C: an accelerator with two kernels. All else comes from the host's other backends.
 *
 *   cc -shared -fPIC -O2 -I core/abi/include examples/plugin-c/gain.c -o libgain.so
 */
#include <string.h>

#include "auralis.h"

AURALIS_MANIFEST_PLUGIN("gain", "0.1.0");
AURALIS_MANIFEST("auralis-backend {\"kind\":\"accelerator\",\"id\":\"gain\",\"summary\":\"gain in C\","
                 "\"version\":\"0.1.0\",\"rank\":5,\"requires\":[],\"capabilities\":[\"scale\",\"mix\"],"
                 "\"options_schema\":{\"type\":\"object\",\"additionalProperties\":false}}");

/* Says why a call failed, as far as the host has room for it. */
static AuralisStatus fail(AuralisStatus status, const char *why, AuralisMessage *message) {
    size_t len = strlen(why);
    if (message) {
        memcpy(message->ptr, why, len < message->capacity ? len : message->capacity);
        message->message = message->total = len;
    }
    return status;
}

static AuralisStatus scale(const AuralisInstance *self, AuralisSliceMutF32 data, float gain,
                           AuralisMessage *message) {
    (void)self, (void)message;
    for (size_t i = 0; i < data.len; i++) data.ptr[i] *= gain;
    return AURALIS_STATUS_OK;
}

static AuralisStatus mix(const AuralisInstance *self, AuralisSliceMutF32 dst, AuralisSliceF32 src,
                         float gain, AuralisMessage *message) {
    (void)self;
    if (dst.len != src.len) return fail(AURALIS_STATUS_INVALID_INPUT, "lengths differ", message);
    for (size_t i = 0; i < dst.len; i++) dst.ptr[i] += src.ptr[i] * gain;
    return AURALIS_STATUS_OK;
}

static const AuralisSlicesV1 slices = {.scale = scale, .mix = mix};

static size_t count(void) { return 1; }

static AuralisStatus describe(size_t index, AuralisBackendRecord *backend, AuralisMessage *message) {
    static const AuralisText kernels[] = {AURALIS_TEXT("scale"), AURALIS_TEXT("mix")};
    static const AuralisBackendRecord record = {
        AURALIS_TEXT("accelerator"), AURALIS_TEXT("gain"), AURALIS_TEXT("gain in C"),
        AURALIS_TEXT("0.1.0"), 5, {NULL, 0}, {kernels, 2},
        AURALIS_TEXT("{\"type\":\"object\",\"additionalProperties\":false}")};
    if (index != 0) return fail(AURALIS_STATUS_NOT_FOUND, "no backend of this index", message);
    *backend = record;
    return AURALIS_STATUS_OK;
}

static AuralisStatus build(size_t index, AuralisSliceU8 options, AuralisSliceU8 settings,
                           AuralisSliceSliceU8 cpu, AuralisBuiltBackend *built,
                           AuralisMessage *message) {
    static const AuralisBuiltBackend only = {(const AuralisInstance *)&slices, AURALIS_TEXT("c")};
    (void)settings, (void)cpu;
    if (index != 0) return fail(AURALIS_STATUS_NOT_FOUND, "no backend of this index", message);
    if (options.len != 2) return fail(AURALIS_STATUS_CONFIG, "gain has no options", message);
    *built = only;
    return AURALIS_STATUS_OK;
}

static void destroy(size_t index, const AuralisInstance *self) { (void)index, (void)self; }

static const AuralisBackendsV1 backends = {count, describe, build, destroy};

static const AuralisInterfaceHeader *get_interface(AuralisText name) {
    static const AuralisInterfaceHeader served[] = {
        AURALIS_INTERFACE(AURALIS_BACKENDS_V1, backends),
        AURALIS_INTERFACE(AURALIS_SLICES_V1, slices)};
    for (size_t i = 0; i < 2; i++)
        if (served[i].id.len == name.len && !memcmp(served[i].id.ptr, name.ptr, name.len))
            return &served[i];
    return NULL;
}

AURALIS_EXPORT_PLUGIN("gain", "0.1.0", get_interface);
