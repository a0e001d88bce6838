#pragma once

#include <sys/types.h>

#include <string>
#include <variant>
#include <vector>

namespace holdfast::os {

struct LaunchFailure;

// Who a worker runs as.
struct Credentials {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  // supplementary
};

// An entry of the user database; home, shell and name are empty for a number that has none.
struct Account {
    Credentials credentials;
    std::string name;
    std::string home;
    std::string shell;
};

// `user` and `group` are names or numbers; either may be empty: then the supervisor's user, or the user's own group.
// With a user the supplementary groups are those that the group database lists for it, else the group alone.
std::variant<Account, LaunchFailure> find_account(const std::string& user, const std::string& group);

// Whether the calling process has exactly these already, so that nothing needs to be set (and no privilege).
bool are_own(const Credentials& credentials);

}  // namespace holdfast::os
