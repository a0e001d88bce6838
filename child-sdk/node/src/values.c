#include "values.h"

#include <stdlib.h>
#include <string.h>

struct arguments arguments_of(napi_env env, napi_callback_info info) {
    struct arguments arguments = {.env = env, .count = max_arguments};
    napi_get_cb_info(env, info, &arguments.count, arguments.values, NULL, NULL);
    if (arguments.count > max_arguments) arguments.count = max_arguments;
    return arguments;
}

bool is_given(const struct arguments* arguments, size_t index) {
    napi_valuetype type = napi_undefined;
    if (index < arguments->count) napi_typeof(arguments->env, arguments->values[index], &type);
    return type != napi_undefined && type != napi_null;
}

int64_t number_at(const struct arguments* arguments, size_t index) {
    int64_t number = 0;
    if (index < arguments->count) napi_get_value_int64(arguments->env, arguments->values[index], &number);
    return number;
}

void* key_at(const struct arguments* arguments, size_t index) {
    return (void*)(uintptr_t)number_at(arguments, index);  // NOLINT: C passes it back unchanged
}

const char* text_at(const struct arguments* arguments, size_t index, char* text, size_t size) {
    text[0] = '\0';
    if (index < arguments->count)
        napi_get_value_string_utf8(arguments->env, arguments->values[index], text, size, NULL);
    return text;
}

napi_value to_number(napi_env env, double number) {
    napi_value value = NULL;
    napi_create_double(env, number, &value);
    return value;
}

napi_value to_boolean(napi_env env, bool value) {
    napi_value made = NULL;
    napi_get_boolean(env, value, &made);
    return made;
}

napi_value to_text(napi_env env, const char* text) {
    napi_value value = NULL;
    napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
    return value;
}

void set_property(napi_env env, napi_value object, const char* name, napi_value value) {
    napi_set_named_property(env, object, name, value);
}

bool failed(napi_env env, int returned) {
    if (returned >= 0) return false;
    const char* name = strerrorname_np(-returned);
    napi_throw_error(env, name == NULL ? "EIO" : name, holdfast_last_error());
    return true;
}

napi_value nothing(napi_env env, int returned) {
    failed(env, returned);
    return NULL;
}

struct entry {
    enum handle_kind kind;
    void* handle;
    size_t next_free;
};

// One table per process, as there is one worker. Entry 0 is not used for a handle: its next_free heads the free list.
static struct {
    struct entry* entries;
    size_t size;
} table;

static bool grow(void) {
    const size_t size = table.size == 0 ? 64 : table.size * 2;
    struct entry* entries = realloc(table.entries, size * sizeof *entries);
    if (entries == NULL) return false;
    const size_t first = table.size == 0 ? 1 : table.size;
    if (table.size == 0) entries[0] = (struct entry){.kind = kind_free};
    for (size_t i = size; i-- > first;) {
        entries[i] = (struct entry){.kind = kind_free, .next_free = entries[0].next_free};
        entries[0].next_free = i;
    }
    table.entries = entries;
    table.size = size;
    return true;
}

napi_value keep_handle(napi_env env, enum handle_kind kind, void* handle) {
    if ((table.size == 0 || table.entries[0].next_free == 0) && !grow()) {
        napi_throw_error(env, "ENOMEM", "cannot store a handle: out of memory");
        return NULL;
    }
    const size_t index = table.entries[0].next_free;
    table.entries[0].next_free = table.entries[index].next_free;
    table.entries[index] = (struct entry){.kind = kind, .handle = handle};
    return to_number(env, (double)index);
}

static struct entry* entry_at(const struct arguments* arguments, size_t index, enum handle_kind kind) {
    const int64_t number = number_at(arguments, index);
    if (number <= 0 || (size_t)number >= table.size || table.entries[number].kind != kind) return NULL;
    return &table.entries[number];
}

void* handle_at(const struct arguments* arguments, size_t index, enum handle_kind kind) {
    const struct entry* entry = entry_at(arguments, index, kind);
    return entry == NULL ? NULL : entry->handle;
}

void* take_handle_at(const struct arguments* arguments, size_t index, enum handle_kind kind) {
    struct entry* entry = entry_at(arguments, index, kind);
    if (entry == NULL) return NULL;
    void* handle = entry->handle;
    *entry = (struct entry){.kind = kind_free, .next_free = table.entries[0].next_free};
    table.entries[0].next_free = (size_t)(entry - table.entries);
    return handle;
}
