#ifndef HOLDFAST_NODE_CALLS_H
#define HOLDFAST_NODE_CALLS_H

#include <holdfast.h>
#include <node_api.h>

// Calls from threads of the SDK to JavaScript's thread. The user pointer of each callback is the key of a JavaScript
// function. index.js holds these functions and registers one dispatcher: (key, argument, call) => void.

// Keeps the process alive until let_process_end().
napi_status begin_calls(napi_env env, napi_value dispatcher);
void let_process_end(napi_env env);

// These wait until JavaScript calls complete(call, error), which may be long after the function returned a promise.
int call_stage(int64_t remaining_usec, void* key);
// The two callbacks of holdfast_accepts(). `keys` is made by accepting_keys() and never freed, as the worker.
int call_stop_accepting(int64_t remaining_usec, void* keys);
int call_start_accepting(int64_t remaining_usec, void* keys);
void* accepting_keys(void* stop, void* start);
int call_plain(void* key);
// Runs an asynchronous function as a task of the SDK: calls it with "run", calls it again with "stop" if the task is
// asked to stop, and returns when the call is completed.
int call_task(holdfast_stop* stop, void* key);

// These do not wait.
int call_leave(void* key);
int call_accepted(int fd, holdfast_session* connection, void* key);
// Drops the item on a thread of its own, because JavaScript's thread cannot wait for the hand-back that it runs.
// Returns 0 or a negative errno.
int drop_on_thread(holdfast_work* work);
// Calls the function with the exit status when holdfast_wait() returns. Returns 0 or a negative errno.
int call_when_over(holdfast_worker* worker, void* key);

// complete(call, error): `error` is "" or the reason of a failure.
napi_value complete(napi_env env, napi_callback_info info);

#endif
