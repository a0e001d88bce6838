#include "core/listener_diff.hpp"

#include <algorithm>
#include <optional>

namespace holdfast::core {
namespace {

using Addresses = std::vector<ListenAddress>;

bool is_handed_over(const ListenAddress& address) {
    return address.family == Family::descriptor || address.family == Family::systemd;
}

bool is_same_place(const ListenAddress& one, const ListenAddress& other) {
    return one.family == other.family && one.type == other.type && one.host == other.host && one.port == other.port &&
           one.path == other.path && one.descriptor == other.descriptor;
}

std::string display_name(const ListenAddress& address) {
    return address.name.empty() ? address.text : address.name + " (" + address.text + ")";
}

std::string mode_of(const ListenAddress& address) {
    std::string digits;
    for (std::uint32_t rest = address.mode.value_or(0); rest > 0; rest /= 8) {
        digits.insert(digits.begin(), static_cast<char>('0' + rest % 8));
    }
    return "0" + digits;
}

std::string backlog_of(const ListenAddress& address) {
    return address.backlog ? std::to_string(*address.backlog) : "as large as the kernel allows";
}

// Returns an option that differs and cannot be changed on a bound socket.
std::optional<std::string> find_fixed_option(const ListenAddress& one, const ListenAddress& other) {
    if (one.v6only.value_or(false) != other.v6only.value_or(false)) return "v6only";
    if (one.nonblock != other.nonblock) return "nonblock";
    return std::nullopt;
}

class ListenerComparison {
  public:
    ListenerComparison(const Addresses& in_force, const Addresses& next, ConfigurationDiff& changes)
        : in_force_(in_force), next_(next), changes_(changes), partner_of_(next.size()) {}

    void run() {
        pair(&ListenerComparison::has_same_name);
        pair([](const ListenAddress&, const ListenAddress&) { return true; });
        for (std::size_t index = 0; index < next_.size(); ++index) {
            if (const auto partner = partner_of_[index]) {
                compare_pair(in_force_[*partner], next_[index]);
            } else {
                add(next_[index]);
            }
        }
        for (std::size_t index = 0; index < in_force_.size(); ++index) {
            if (!is_paired(index)) remove(in_force_[index]);
        }
        auto kept = partner_of_;
        std::erase(kept, std::nullopt);
        if (!std::ranges::is_sorted(kept)) replace_workers("changes the order of the listeners");
    }

  private:
    static bool has_same_name(const ListenAddress& one, const ListenAddress& other) {
        return listener_name(one) == listener_name(other);
    }

    bool is_paired(std::size_t index) const { return std::ranges::count(partner_of_, std::optional(index)) > 0; }

    template <class Fits>
    void pair(const Fits& fits) {
        for (std::size_t index = 0; index < next_.size(); ++index) {
            for (std::size_t other = 0; other < in_force_.size() && !partner_of_[index]; ++other) {
                if (is_paired(other) || !is_same_place(in_force_[other], next_[index])) continue;
                if (fits(in_force_[other], next_[index])) partner_of_[index] = other;
            }
        }
    }

    void replace_workers(std::string why) {
        changes_.sentences.push_back(std::move(why));
        changes_.workers = Reload::Workers::replace;
    }

    void add(const ListenAddress& address) {
        if (is_handed_over(address)) {
            changes_.refusals.push_back("cannot add " + address.text +
                                        ": sockets are only handed over at the start; stop the service and start it "
                                        "again");
        } else {
            replace_workers("adds the listener " + display_name(address));
        }
    }

    void remove(const ListenAddress& address) {
        if (is_handed_over(address)) {
            changes_.refusals.push_back("cannot remove " + address.text +
                                        ": it was handed over at the start; stop the service and start it again");
        } else {
            replace_workers("removes the listener " + display_name(address));
        }
    }

    void compare_pair(const ListenAddress& before, const ListenAddress& after) {
        if (const auto option = find_fixed_option(before, after)) {
            changes_.refusals.push_back("cannot change " + *option + " of " + after.text +
                                        " while it is bound: use another address, or stop the service and start it "
                                        "again");
            return;
        }
        if (!has_same_name(before, after)) {
            replace_workers("renames the listener " + before.text + " from " + listener_name(before) + " to " +
                            listener_name(after));
        }
        if (before.backlog != after.backlog) compare_backlogs(before, after);
        compare_owners(before, after);
    }

    void compare_backlogs(const ListenAddress& before, const ListenAddress& after) {
        changes_.sentences.push_back("backlog of " + display_name(after) + " " + backlog_of(before) + " → " +
                                     backlog_of(after));
    }

    void compare_owners(const ListenAddress& before, const ListenAddress& after) {
        if (before.mode && !after.mode) {
            changes_.refusals.push_back("cannot remove the mode of " + after.text +
                                        " while it is bound: set the mode that it should have");
        } else if (before.mode != after.mode) {
            changes_.sentences.push_back("mode of " + display_name(after) + " " +
                                         (before.mode ? mode_of(before) : "from the umask") + " → " + mode_of(after));
        }
        if (before.user != after.user || before.group != after.group) {
            changes_.sentences.push_back("owner of " + display_name(after) + " " + before.user + ":" + before.group +
                                         " → " + after.user + ":" + after.group);
        }
    }

    const Addresses& in_force_;
    const Addresses& next_;
    ConfigurationDiff& changes_;
    std::vector<std::optional<std::size_t>> partner_of_;  // for each index in next_: the same listener in in_force_
};

}  // namespace

bool is_same_listener(const ListenAddress& one, const ListenAddress& other) {
    return is_same_place(one, other) && !find_fixed_option(one, other);
}

void compare_listeners(const Addresses& in_force, const Addresses& next, ConfigurationDiff& changes) {
    ListenerComparison(in_force, next, changes).run();
}

}  // namespace holdfast::core
