#include "os/process_tree.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

namespace holdfast::os {
namespace {

bool is_same(const ProcessStatus& left, const ProcessStatus& right) {
    return left.pid == right.pid && left.start_time == right.start_time;
}

// Collects one tree, each process once.
class Scan {
  public:
    Scan(const TreeQuery& query, const SeenProcesses& seen)
        : query_(query), seen_(seen), self_(::getpid()), own_group_(::getpgrp()), own_session_(::getsid(0)) {}

    ProcessTree run() {
        if (!query_.leader) return {};
        // One that has ended has no children any more: they are orphans.
        if (!has_ended(query_.leader.process())) add_with_descendants(query_.leader.pid());
        // Who died while its children were listed has left them to us: looked for until a look brings nothing new.
        while (add_orphans() == Progress::some) {
        }
        return std::move(tree_);
    }

  private:
    enum class Progress { none, some };

    Progress add_orphans() {
        Progress progress = Progress::none;
        for (const pid_t child : children_of_first_thread(self_)) {
            if (visited_.contains(child) || query_.is_leader(child)) continue;
            progress = Progress::some;
            if (is_ours(child)) {
                add_with_descendants(child);
            } else {
                visited_.insert(child);
            }
        }
        return progress;
    }

    // Whether an orphan (a child of ours that is no leader) is this worker's.
    bool is_ours(pid_t orphan) const {
        const auto status = process_status(orphan);
        if (!status) return false;
        if (status->group == query_.leader.pid()) return true;
        const bool was_near_one_of_ours = std::any_of(seen_.begin(), seen_.end(), [&](const ProcessStatus& seen) {
            return is_same(seen, *status) || shares_group_or_session(seen, *status);
        });
        return was_near_one_of_ours || has_environment_entry(orphan, query_.markers);
    }

    // A stray that leads a session of its own and dies leaves orphans that have nothing else in common with it.
    bool shares_group_or_session(const ProcessStatus& seen, const ProcessStatus& orphan) const {
        if (orphan.start_time < seen.start_time) return false;
        return (orphan.group == seen.group && orphan.group != own_group_) ||
               (orphan.session == seen.session && orphan.session != own_session_);
    }

    void add_with_descendants(pid_t root) {
        std::vector<pid_t> left_to_visit{root};
        while (!left_to_visit.empty()) {
            const pid_t pid = left_to_visit.back();
            left_to_visit.pop_back();
            if (!visited_.insert(pid).second) continue;
            auto status = process_status(pid);
            if (!status || is_dead(*status)) continue;
            auto& members = status->group == query_.leader.pid() ? tree_.group : tree_.strays;
            members.push_back(std::move(*status));
            const std::vector<pid_t> children = children_of(pid);
            left_to_visit.insert(left_to_visit.end(), children.begin(), children.end());
        }
    }

    const TreeQuery& query_;
    const SeenProcesses& seen_;
    pid_t self_;
    pid_t own_group_;
    pid_t own_session_;
    std::unordered_set<pid_t> visited_;
    ProcessTree tree_;
};

SeenProcesses members_of(const ProcessTree& tree) {
    SeenProcesses members = tree.group;
    members.insert(members.end(), tree.strays.begin(), tree.strays.end());
    return members;
}

bool contains(const SeenProcesses& seen, const ProcessStatus& process) {
    return std::any_of(seen.begin(), seen.end(), [&](const ProcessStatus& one) { return is_same(one, process); });
}

// Kills whom no former round has settled; returns who could not be killed. Settled is who has got its SIGKILL, or ended
// before it came: such a one may have left a child behind that only the next scan sees.
std::vector<ProcessStatus> settle(const std::vector<ProcessStatus>& members, SeenProcesses& settled) {
    std::vector<ProcessStatus> unreachable;
    for (const ProcessStatus& member : members) {
        if (contains(settled, member)) continue;
        const Result<Process> process = open_process(member.pid, member.start_time);
        const Result<void> killed = process ? kill_now(*process) : Result<void>(process.error());
        if (killed || killed.error().code == ESRCH) {
            settled.push_back(member);
        } else {
            unreachable.push_back(member);
        }
    }
    return unreachable;
}

}  // namespace

ProcessTree scan_tree(const TreeQuery& query, SeenProcesses& seen) {
    ProcessTree tree = Scan{query, seen}.run();
    seen = members_of(tree);
    return tree;
}

int signal_strays(const ProcessTree& tree, int signal) {
    int reached = 0;
    for (const ProcessStatus& stray : tree.strays) {
        const Result<Process> process = open_process(stray.pid, stray.start_time);
        if (process && send_signal(*process, signal)) ++reached;
    }
    return reached;
}

ProcessTree kill_tree_now(const TreeQuery& query, SeenProcesses& seen) {
    // Who has got its SIGKILL cannot fork any more, so the rounds end when some in a row find nobody new: one alone may
    // have missed a process that was just executing something (its environment cannot be read then), or a list of
    // children that changed under the reading. Bounded all the same: a worker may fork faster than it can be scanned.
    constexpr int max_rounds = 200;
    constexpr int quiet_rounds_at_the_end = 5;
    int quiet_rounds = 0;
    SeenProcesses remembered = seen;
    SeenProcesses settled;
    ProcessTree unreachable;
    for (int round = 0; round < max_rounds && quiet_rounds < quiet_rounds_at_the_end; ++round) {
        (void)kill_group_now(query.leader);  // whole at once; who cannot be reached is found below
        const ProcessTree tree = Scan{query, remembered}.run();
        const std::size_t settled_before = settled.size();
        unreachable.group = settle(tree.group, settled);
        unreachable.strays = settle(tree.strays, settled);
        seen = members_of(tree);
        quiet_rounds = settled.size() == settled_before ? quiet_rounds + 1 : 0;
        for (const ProcessStatus& member : seen) {
            if (!contains(remembered, member)) remembered.push_back(member);
        }
    }
    return unreachable;
}

}  // namespace holdfast::os
