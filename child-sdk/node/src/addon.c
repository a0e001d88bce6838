// The functions of libholdfast that JavaScript can call. Only index.js uses them, and wraps them in objects.

#include <errno.h>
#include <holdfast.h>
#include <node_api.h>
#include <string.h>

#include "calls.h"
#include "values.h"

// The worker of this process. Never freed: code that still runs when Node exits may use it.
static holdfast_worker* worker;

// create(options, health, dispatcher, give up)
static int64_t option(napi_env env, napi_value options, const char* name, int64_t usual) {
    napi_value value = NULL;
    int64_t number = usual;
    napi_get_named_property(env, options, name, &value);
    return napi_get_value_int64(env, value, &number) == napi_ok ? number : usual;
}

static napi_value create(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    holdfast_options options;
    char health[max_text_bytes];
    if (worker != NULL)
        return nothing(env, holdfast_fail(EPERM, "cannot create a second Worker: a process can have only one"));
    if (failed(env, holdfast_init_options(&options, sizeof options))) return NULL;
    options.lame_duck_ms = option(env, given.values[0], "lameDuck", options.lame_duck_ms);
    options.grace_period_ms = option(env, given.values[0], "gracePeriod", options.grace_period_ms);
    options.cancel_period_ms = option(env, given.values[0], "cancelPeriod", options.cancel_period_ms);
    options.keep_alive_min_ms = option(env, given.values[0], "keepAliveMin", options.keep_alive_min_ms);
    options.health = text_at(&given, 1, health, sizeof health);
    options.give_up = (int)number_at(&given, 3);
    if (failed(env, holdfast_new(&options, &worker))) return NULL;
    if (begin_calls(env, given.values[2]) != napi_ok)
        napi_throw_error(env, "EIO", "cannot set up calls from threads to JavaScript");
    return NULL;
}

static napi_value version(napi_env env, napi_callback_info info) {
    (void)info;
    return to_text(env, holdfast_version());
}

// on(stage, key)
static napi_value on(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    static const struct {
        const char* stage;
        int (*add)(holdfast_worker*, holdfast_stage_callback, void*);
    } stages[] = {{"lame-duck", holdfast_on_lame_duck}, {"pause", holdfast_on_pause},
                  {"drain", holdfast_on_drain},         {"run", holdfast_on_run},
                  {"cancel", holdfast_on_cancel},       {"released", holdfast_on_released}};
    char name[16];
    text_at(&given, 0, name, sizeof name);
    for (size_t i = 0; i < sizeof stages / sizeof *stages; ++i) {
        if (strcmp(stages[i].stage, name) == 0) {
            return nothing(env, stages[i].add(worker, call_stage, key_at(&given, 1)));
        }
    }
    return nothing(env, holdfast_fail(EINVAL,
                                      "cannot add a callback: there is no such stage; use lame-duck, pause, "
                                      "drain, run, cancel or released"));
}

// accepts(stop key, start key)
static napi_value accepts(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    void* keys = accepting_keys(key_at(&given, 0), key_at(&given, 1));
    if (keys == NULL) return nothing(env, holdfast_fail(ENOMEM, "cannot add callbacks: out of memory"));
    return nothing(env, holdfast_accepts(worker, call_stop_accepting, call_start_accepting, keys));
}

static napi_value ready(napi_env env, napi_callback_info info) {
    (void)info;
    return nothing(env, holdfast_ready(worker));
}

static napi_value stop(napi_env env, napi_callback_info info) {
    (void)info;
    return nothing(env, holdfast_stop_worker(worker));
}

// wait(key)
static napi_value wait(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    return nothing(env, call_when_over(worker, key_at(&given, 0)));
}

static napi_value over(napi_env env, napi_callback_info info) {
    (void)info;
    let_process_end(env);
    return NULL;
}

static napi_value draining(napi_env env, napi_callback_info info) {
    (void)info;
    return to_boolean(env, holdfast_draining(worker) == 1);
}

static napi_value is_supervised(napi_env env, napi_callback_info info) {
    (void)info;
    const int supervised = holdfast_is_supervised(worker);
    return failed(env, supervised) ? NULL : to_boolean(env, supervised == 1);
}

static napi_value keep_alive_min(napi_env env, napi_callback_info info) {
    (void)info;
    int64_t milliseconds = 0;
    return failed(env, holdfast_keep_alive_min(worker, &milliseconds)) ? NULL : to_number(env, (double)milliseconds);
}

static napi_value remaining(napi_env env, napi_callback_info info) {
    (void)info;
    int64_t usec = 0;
    if (failed(env, holdfast_remaining(worker, &usec))) return NULL;
    return to_number(env, usec < 0 ? -1 : (double)usec / 1000);
}

// listen(name, address), takeListener(name or nothing): {handle, name, address, isInherited}
static napi_value describe(napi_env env, holdfast_listener* listener) {
    napi_value made = NULL;
    napi_create_object(env, &made);
    set_property(env, made, "handle", keep_handle(env, kind_listener, listener));
    set_property(env, made, "name", to_text(env, holdfast_listener_name(listener)));
    set_property(env, made, "address", to_text(env, holdfast_listener_address(listener)));
    set_property(env, made, "isInherited", to_boolean(env, holdfast_listener_is_inherited(listener) == 1));
    return made;
}

static napi_value listen(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    char name[max_text_bytes], address[max_text_bytes];
    holdfast_listener* listener = NULL;
    const int returned = holdfast_listen(worker, text_at(&given, 0, name, sizeof name),
                                         text_at(&given, 1, address, sizeof address), &listener);
    return failed(env, returned) ? NULL : describe(env, listener);
}

static napi_value take_listener(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    char name[max_text_bytes];
    holdfast_listener* listener = NULL;
    const char* wanted = is_given(&given, 0) ? text_at(&given, 0, name, sizeof name) : NULL;
    return failed(env, holdfast_take_listener(worker, wanted, &listener)) ? NULL : describe(env, listener);
}

// startAcceptor(listener, key)
static napi_value start_acceptor(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    holdfast_listener* listener = take_handle_at(&given, 0, kind_listener);
    holdfast_acceptor* acceptor = NULL;
    const int returned = holdfast_start_acceptor(worker, &listener, call_accepted, key_at(&given, 1), &acceptor);
    return failed(env, returned) ? NULL : keep_handle(env, kind_acceptor, acceptor);
}

static napi_value begin_request(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    char name[max_text_bytes];
    holdfast_request* request = NULL;
    const int returned = holdfast_begin_request(worker, text_at(&given, 0, name, sizeof name), &request);
    return failed(env, returned) ? NULL : keep_handle(env, kind_request, request);
}

static napi_value end_request(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    holdfast_request* request = take_handle_at(&given, 0, kind_request);
    return nothing(env, holdfast_end_request(&request));
}

// beginSession(name, leave within or nothing)
static napi_value begin_session(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    char name[max_text_bytes];
    holdfast_session* session = NULL;
    const int64_t within = is_given(&given, 1) ? number_at(&given, 1) : -1;
    const int returned = holdfast_begin_session(worker, text_at(&given, 0, name, sizeof name), within, &session);
    return failed(env, returned) ? NULL : keep_handle(env, kind_session, session);
}

// onLeave(session, key)
static napi_value on_leave(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    holdfast_session* session = handle_at(&given, 0, kind_session);
    return nothing(env, holdfast_session_on_leave(session, call_leave, key_at(&given, 1)));
}

// setSessionName(session, name)
static napi_value set_session_name(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    char name[max_text_bytes];
    holdfast_session* session = handle_at(&given, 0, kind_session);
    return nothing(env, holdfast_session_set_name(session, text_at(&given, 1, name, sizeof name)));
}

// setLeaveWithin(session, milliseconds)
static napi_value set_leave_within(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    holdfast_session* session = handle_at(&given, 0, kind_session);
    return nothing(env, holdfast_session_set_leave_within(session, number_at(&given, 1)));
}

static napi_value end_session(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    holdfast_session* session = take_handle_at(&given, 0, kind_session);
    return nothing(env, holdfast_end_session(&session));
}

// holdWork(name, key)
static napi_value hold_work(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    char name[max_text_bytes];
    holdfast_work* work = NULL;
    const int returned =
        holdfast_hold_work(worker, text_at(&given, 0, name, sizeof name), call_plain, key_at(&given, 1), &work);
    return failed(env, returned) ? NULL : keep_handle(env, kind_work, work);
}

static napi_value claim_work(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    const int claimed = holdfast_claim_work(handle_at(&given, 0, kind_work));
    return failed(env, claimed) ? NULL : to_boolean(env, claimed == 1);
}

static napi_value finish_work(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    holdfast_work* work = take_handle_at(&given, 0, kind_work);
    const int finished = holdfast_finish_work(&work);
    return failed(env, finished) ? NULL : to_boolean(env, finished == 1);
}

static napi_value drop_work(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    holdfast_work* work = take_handle_at(&given, 0, kind_work);
    return work == NULL ? NULL : nothing(env, drop_on_thread(work));
}

// startTask(name, key, start, on error, need), resource(name, key), closeLast(name, key): return the number of a user
static napi_value start_task(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    char name[max_text_bytes];
    holdfast_task_options options;
    holdfast_user task = 0;
    if (failed(env, holdfast_init_task_options(&options, sizeof options))) return NULL;
    options.start = (int)number_at(&given, 2);
    options.on_error = (int)number_at(&given, 3);
    options.need = (int)number_at(&given, 4);
    const int returned = holdfast_start_task_with(worker, text_at(&given, 0, name, sizeof name), call_task,
                                                  key_at(&given, 1), &options, &task);
    return failed(env, returned) ? NULL : to_number(env, (double)task);
}

static napi_value resource(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    char name[max_text_bytes];
    holdfast_user made = 0;
    const int returned =
        holdfast_resource(worker, text_at(&given, 0, name, sizeof name), call_plain, key_at(&given, 1), &made);
    return failed(env, returned) ? NULL : to_number(env, (double)made);
}

static napi_value close_last(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    char name[max_text_bytes];
    holdfast_user made = 0;
    const int returned =
        holdfast_close_last(worker, text_at(&given, 0, name, sizeof name), call_plain, key_at(&given, 1), &made);
    return failed(env, returned) ? NULL : to_number(env, (double)made);
}

static napi_value used_by(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    return nothing(env,
                   holdfast_used_by(worker, (holdfast_user)number_at(&given, 0), (holdfast_user)number_at(&given, 1)));
}

static napi_value close_within(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    return nothing(env, holdfast_close_within(worker, (holdfast_user)number_at(&given, 0), number_at(&given, 1)));
}

static napi_value report_waiting(napi_env env, const holdfast_report* made) {
    napi_value list = NULL;
    napi_create_array(env, &list);
    for (size_t i = 0; i < made->waiting_count; ++i) {
        napi_value held = NULL;
        napi_create_object(env, &held);
        set_property(env, held, "kind", to_text(env, made->waiting[i].kind));
        set_property(env, held, "name", to_text(env, made->waiting[i].name));
        set_property(env, held, "age", to_number(env, (double)made->waiting[i].age_usec / 1000));
        napi_set_element(env, list, (uint32_t)i, held);
    }
    return list;
}

static napi_value report_failed(napi_env env, const holdfast_report* made) {
    napi_value list = NULL;
    napi_create_array(env, &list);
    for (size_t i = 0; i < made->failed_count; ++i)
        napi_set_element(env, list, (uint32_t)i, to_text(env, made->failed[i]));
    return list;
}

static napi_value report(napi_env env, napi_callback_info info) {
    (void)info;
    static const char* const stages[] = {"run", "lame-duck", "pause", "drain", "cancel"};
    const holdfast_report* made = NULL;
    if (failed(env, holdfast_make_report(worker, &made))) return NULL;
    napi_value object = NULL;
    napi_create_object(env, &object);
    set_property(env, object, "stage", to_text(env, stages[made->stage]));
    if (made->remaining_usec >= 0) {
        set_property(env, object, "remaining", to_number(env, (double)made->remaining_usec / 1000));
    }
    set_property(env, object, "requests", to_number(env, (double)made->requests));
    set_property(env, object, "sessions", to_number(env, (double)made->sessions));
    set_property(env, object, "tasks", to_number(env, (double)made->tasks));
    set_property(env, object, "work", to_number(env, (double)made->work));
    set_property(env, object, "resources", to_number(env, (double)made->resources));
    set_property(env, object, "served", to_number(env, (double)made->served));
    set_property(env, object, "handedBack", to_number(env, (double)made->handed_back));
    set_property(env, object, "lost", to_number(env, (double)made->lost));
    set_property(env, object, "failed", report_failed(env, made));
    set_property(env, object, "text", to_text(env, made->text));
    set_property(env, object, "waiting", report_waiting(env, made));
    holdfast_free_report(&made);
    return object;
}

static napi_value has_bytes(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    return to_boolean(env, holdfast_has_bytes((int)number_at(&given, 0)) == 1);
}

static napi_value init(napi_env env, napi_value exports) {
    static const struct {
        const char* name;
        napi_callback function;
    } functions[] = {{"version", version},
                     {"create", create},
                     {"on", on},
                     {"accepts", accepts},
                     {"ready", ready},
                     {"stop", stop},
                     {"wait", wait},
                     {"over", over},
                     {"draining", draining},
                     {"isSupervised", is_supervised},
                     {"keepAliveMin", keep_alive_min},
                     {"remaining", remaining},
                     {"listen", listen},
                     {"takeListener", take_listener},
                     {"startAcceptor", start_acceptor},
                     {"beginRequest", begin_request},
                     {"endRequest", end_request},
                     {"beginSession", begin_session},
                     {"onLeave", on_leave},
                     {"setSessionName", set_session_name},
                     {"setLeaveWithin", set_leave_within},
                     {"endSession", end_session},
                     {"holdWork", hold_work},
                     {"claimWork", claim_work},
                     {"finishWork", finish_work},
                     {"dropWork", drop_work},
                     {"startTask", start_task},
                     {"resource", resource},
                     {"closeLast", close_last},
                     {"usedBy", used_by},
                     {"closeWithin", close_within},
                     {"report", report},
                     {"hasBytes", has_bytes},
                     {"complete", complete}};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; ++i) {
        napi_value function = NULL;
        napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function);
        set_property(env, exports, functions[i].name, function);
    }
    return exports;
}

// Node finds this function by its name, which contains the version of the interface.
NAPI_EXTERN napi_value napi_register_module_v1(napi_env env, napi_value exports);
napi_value napi_register_module_v1(napi_env env, napi_value exports) { return init(env, exports); }
