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
