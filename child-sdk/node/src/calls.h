#ifndef HOLDFAST_NODE_CALLS_H
#define HOLDFAST_NODE_CALLS_H

#include <holdfast.h>
#include <node_api.h>

// Ways from the threads of the SDK to JavaScript's thread. The user pointer of each callback is the key of a JavaScript
// function; index.js has the functions and gives us one dispatcher: (key, argument, call) => void.

// Keeps the process alive until let_process_end().
napi_status begin_calls(napi_env env, napi_value dispatcher);
void let_process_end(napi_env env);

// Wait until JavaScript calls complete(call, error), which may be long after the function returned: a promise.
int call_stage(int64_t remaining_usec, void* key);
int call_plain(void* key);
// A thread of the SDK that stands for an asynchronous function: called once with "run", once more with "stop" if it is
// asked to, and over when the call is completed.
int call_task(holdfast_stop* stop, void* key);

// Do not wait.
int call_leave(void* key);
int call_accepted(int fd, holdfast_session* connection, void* key);
// Calls with the exit status when holdfast_wait() returns. 0 or a negative errno.
int call_when_over(holdfast_worker* worker, void* key);

// complete(call, error): `error` is undefined or the reason.
napi_value complete(napi_env env, napi_callback_info info);

#endif
