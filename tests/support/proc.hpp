#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace holdfast::test {

// What /proc says of a process. Of one that is gone: nothing, 0, 'gone' as '-'.
std::vector<pid_t> children_of(pid_t pid);
std::vector<pid_t> descendants_of(pid_t pid);
std::map<int, std::string> open_files_of(pid_t pid);  // by number: what the link says
std::vector<std::uint32_t> backlogs_of(pid_t pid);    // of the TCP listeners it holds, as the kernel has them
char state_of(pid_t pid);                             // 'R', 'S', 'D', 'T', 'Z'
std::string command_of(pid_t pid);
std::string status_of(pid_t pid);  // the text of its status file
std::uint64_t voluntary_switches_of(pid_t pid);
std::uint64_t cpu_ticks_of(pid_t pid);

}  // namespace holdfast::test
