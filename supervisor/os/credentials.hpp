#pragma once

#include <sys/types.h>

#include <string>
#include <variant>
#include <vector>

namespace holdfast::os {

struct LaunchFailure;

// The user and groups that a worker runs as.
struct Credentials {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;  // supplementary
};

// An entry of the user database. home, shell and name are empty for a uid without an entry.
struct Account {
    Credentials credentials;
    std::string name;
    std::string home;
    std::string shell;
};

// `user` and `group` are names or numbers. An empty user means the supervisor's user; an empty group means the primary
// group of the user. With a user, the supplementary groups are those of the group database, otherwise only the group.
std::variant<Account, LaunchFailure> find_account(const std::string& user, const std::string& group);

// Whether the calling process already has exactly these credentials, so that no change and no privilege is needed.
bool are_own(const Credentials& credentials);

}  // namespace holdfast::os
