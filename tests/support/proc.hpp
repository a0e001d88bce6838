#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast::test {

// Information from /proc about a process. For a process that does not exist: empty, 0, or '-'.
std::vector<pid_t> children_of(pid_t pid);
std::vector<pid_t> descendants_of(pid_t pid);
std::map<int, std::string> open_files_of(pid_t pid);  // descriptor and target of its link
std::vector<std::uint32_t> backlogs_of(pid_t pid);    // of its TCP listeners, as reported by the kernel
char state_of(pid_t pid);                             // 'R', 'S', 'D', 'T', 'Z'
// Sends SIGSTOP and waits until every thread of the process has stopped: kill(2) returns before that, and a thread
// could still accept a connection.
void stop_process(pid_t pid);
std::string command_of(pid_t pid);
std::string status_of(pid_t pid);  // content of its status file
std::uint64_t voluntary_switches_of(pid_t pid);
std::uint64_t cpu_ticks_of(pid_t pid);

}  // namespace holdfast::test
