// A worker that prints how it was started, one fact per line, and exits.

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

extern char** environ;

int main() {
    DIR* descriptors = ::opendir("/proc/self/fd");
    if (descriptors == nullptr) return 1;
    while (const dirent* entry = ::readdir(descriptors)) {
        if (entry->d_name[0] == '.' || std::atoi(entry->d_name) == ::dirfd(descriptors)) continue;
        char target[512] = {};
        if (::readlinkat(::dirfd(descriptors), entry->d_name, target, sizeof target - 1) < 0) continue;
        std::printf("fd %s %s\n", entry->d_name, target);
    }
    ::closedir(descriptors);
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) std::printf("status %s\n", line.c_str());
    for (char** entry = environ; *entry != nullptr; ++entry) std::printf("env %s\n", *entry);
    char directory[4096] = {};
    if (::getcwd(directory, sizeof directory) != nullptr) std::printf("cwd %s\n", directory);
    rlimit files = {};
    ::getrlimit(RLIMIT_NOFILE, &files);
    std::printf("nofile %ju:%ju\n", std::uintmax_t{files.rlim_cur}, std::uintmax_t{files.rlim_max});
    std::printf("pid %d group %d\n", ::getpid(), ::getpgrp());
    return 0;
}
