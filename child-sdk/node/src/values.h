#ifndef HOLDFAST_NODE_VALUES_H
#define HOLDFAST_NODE_VALUES_H

#include <holdfast.h>
#include <node_api.h>
#include <stdbool.h>

// Arguments, results and errors of a function that JavaScript calls. index.js is the only caller and passes the right
// types, so what is missing or of another type is 0 or "".

enum { max_arguments = 6, max_text_bytes = 1024 };

struct arguments {
    napi_env env;
    size_t count;
    napi_value values[max_arguments];
};

struct arguments arguments_of(napi_env env, napi_callback_info info);
int64_t number_at(const struct arguments* arguments, size_t index);
// The key of a JavaScript function as C passes it around.
void* key_at(const struct arguments* arguments, size_t index);
bool is_given(const struct arguments* arguments, size_t index);
// Cut at `size`; returns `text`.
const char* text_at(const struct arguments* arguments, size_t index, char* text, size_t size);

napi_value to_number(napi_env env, double number);
napi_value to_boolean(napi_env env, bool value);
napi_value to_text(napi_env env, const char* text);
void set_property(napi_env env, napi_value object, const char* name, napi_value value);

// Throws the calling thread's last error, with the name of the errno as `code`, if `returned` is negative.
bool failed(napi_env env, int returned);
// For functions that return nothing but success.
napi_value nothing(napi_env env, int returned);

// A handle of C for JavaScript: a number, so that one that is used after its end is an error. JavaScript's thread only.
enum handle_kind { kind_free, kind_listener, kind_acceptor, kind_request, kind_session, kind_work };
napi_value keep_handle(napi_env env, enum handle_kind kind, void* handle);
// NULL if there is none of that kind and number.
void* handle_at(const struct arguments* arguments, size_t index, enum handle_kind kind);
// The same, and forgets it.
void* take_handle_at(const struct arguments* arguments, size_t index, enum handle_kind kind);

#endif
