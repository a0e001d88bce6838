// usage: spawn_loop N PROGRAM
// The baseline: starts N processes one after the other with posix_spawn(3), and nothing else. Then it waits for a
// signal; its children are left to its parent.

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char** environ;

int main(int argc, char** argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: spawn_loop N PROGRAM\n");
        return 2;
    }
    char* arguments[] = {argv[2], NULL};
    for (int left = atoi(argv[1]); left > 0; --left) {
        pid_t pid = 0;
        const int error = posix_spawn(&pid, argv[2], NULL, NULL, arguments, environ);
        if (error != 0) {
            fprintf(stderr, "spawn_loop: cannot execute %s: %s\n", argv[2], strerror(error));
            return 1;
        }
    }
    pause();
    return 0;
}
