#ifndef HOLDFAST_NODE_VALUES_H
#define HOLDFAST_NODE_VALUES_H

#include <holdfast.h>
#include <node_api.h>
#include <stdbool.h>

// Arguments, results and errors of functions that JavaScript calls. index.js is the only caller and passes the right
// types, so a missing argument, or one of another type, is read as 0 or "".

enum { max_arguments = 6, max_text_bytes = 1024 };

struct arguments {
    napi_env env;
    size_t count;
    napi_value values[max_arguments];
};

struct arguments arguments_of(napi_env env, napi_callback_info info);
int64_t number_at(const struct arguments* arguments, size_t index);
// The key of a JavaScript function, as C passes it around.
void* key_at(const struct arguments* arguments, size_t index);
bool is_given(const struct arguments* arguments, size_t index);
// Truncates the text to `size`. Returns `text`.
const char* text_at(const struct arguments* arguments, size_t index, char* text, size_t size);

napi_value to_number(napi_env env, double number);
napi_value to_boolean(napi_env env, bool value);
napi_value to_text(napi_env env, const char* text);
void set_property(napi_env env, napi_value object, const char* name, napi_value value);

// Throws the calling thread's last error, with the name of the errno as `code`, if `returned` is negative.
bool failed(napi_env env, int returned);
// For functions that return nothing but success.
napi_value nothing(napi_env env, int returned);

// Handles of C objects for JavaScript. A handle is a number, so that its use after the end is detected. Use them only
// on JavaScript's thread.
enum handle_kind { kind_free, kind_listener, kind_acceptor, kind_request, kind_session, kind_work };
napi_value keep_handle(napi_env env, enum handle_kind kind, void* handle);
// Returns NULL if there is no handle of that kind and number.
void* handle_at(const struct arguments* arguments, size_t index, enum handle_kind kind);
// The same, and removes the handle.
void* take_handle_at(const struct arguments* arguments, size_t index, enum handle_kind kind);

#endif
