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
