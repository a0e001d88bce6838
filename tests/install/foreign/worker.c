/* worker.cpp in C. */
#include <holdfast.h>
#include <stdio.h>

static int close_pool(void* data) {
    (void)data;
    puts("pool closed");
    return 0;
}

int main(void) {
    holdfast_worker* worker = NULL;
    int status;
    if (holdfast_new(NULL, &worker) != 0) return 1;
    if (holdfast_close_last(worker, "pool", close_pool, NULL, NULL) != 0) return 1;
    if (holdfast_ready(worker) != 0 || holdfast_stop_worker(worker) != 0) return 1;
    status = holdfast_wait(worker);
    holdfast_free(&worker);
    return status;
}
