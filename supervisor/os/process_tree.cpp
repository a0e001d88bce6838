#include "os/process_tree.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>
#include <utility>

namespace holdfast::os {
namespace {

bool is_same(const ProcessStatus& left, const ProcessStatus& right) {
    return left.pid == right.pid && left.start_time == right.start_time;
}

// Collects one tree; each process occurs once.
class Scan {
  public:
    Scan(const TreeQuery& query, const SeenProcesses& seen)
        : query_(query), seen_(seen), self_(::getpid()), own_group_(::getpgrp()), own_session_(::getsid(0)) {}

    ProcessTree run() {
        if (!query_.leader) return {};
        // A leader that has ended has no children any more: they are orphans now.
        if (!has_ended(query_.leader.process())) add_with_descendants(query_.leader.pid());
        // Processes that ended while their children were listed have left them to us: repeat until no new orphan is
        // found.
        while (add_orphans() == Progress::some) {
        }
        return std::move(tree_);
    }

  private:
    enum class Progress { none, some };

    // Takes the value of a look, or nothing if it has failed.
    template <class T>
    T known(Result<T> look) {
        if (look) return std::move(*look);
        if (!tree_.not_known) tree_.not_known = look.error();
        return {};
    }

    Progress add_orphans() {
        Progress progress = Progress::none;
        for (const pid_t child : known(children_of_first_thread(self_))) {
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

    // Whether an orphan (a child of ours that is not a leader) belongs to this worker.
    bool is_ours(pid_t orphan) {
        const auto status = known(process_status(orphan));
        if (!status) return false;
        if (status->group == query_.leader.pid()) return true;
        const bool was_near_one_of_ours = std::any_of(seen_.begin(), seen_.end(), [&](const ProcessStatus& seen) {
            return is_same(seen, *status) || shares_group_or_session(seen, *status);
        });
        return was_near_one_of_ours || known(has_environment_entry(orphan, query_.markers));
    }

    // A stray that leads its own session and ends leaves orphans that share nothing else with the worker.
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
            auto status = known(process_status(pid));
            if (!status || is_dead(*status)) continue;
            auto& members = status->group == query_.leader.pid() ? tree_.group : tree_.strays;
            members.push_back(std::move(*status));
            const std::vector<pid_t> children = known(children_of(pid));
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

// Sends SIGKILL to the members that no earlier round has handled; adds those that could not be signalled. A process
// counts as handled once it was sent SIGKILL, or had ended before: one that had ended may have left a child that only
// the next scan finds.
void kill_members(const std::vector<ProcessStatus>& members, SeenProcesses& handled,
                  std::vector<ProcessStatus>& unreachable, std::optional<Error>& not_known) {
    for (const ProcessStatus& member : members) {
        if (contains(handled, member)) continue;
        const Result<Process> process = open_process(member.pid, member.start_time);
        const Result<void> killed = process ? kill_now(*process) : Result<void>(process.error());
        if (killed || killed.error().code == ESRCH) {
            handled.push_back(member);
        } else if (killed.error().code == EPERM) {
            unreachable.push_back(member);
        } else if (!not_known) {
            not_known = killed.error();
        }
    }
}

}  // namespace

ProcessTree scan_tree(const TreeQuery& query, SeenProcesses& seen) {
    ProcessTree tree = Scan{query, seen}.run();
    SeenProcesses members = members_of(tree);
    // What was not seen this time is remembered: it recognises the orphans of the next scan.
    for (const ProcessStatus& former : tree.not_known ? std::exchange(seen, {}) : SeenProcesses{}) {
        if (!contains(members, former)) members.push_back(former);
    }
    seen = std::move(members);
    return tree;
}

std::vector<ProcessStatus> signal_strays(const std::vector<ProcessStatus>& strays, int signal) {
    std::vector<ProcessStatus> missed;
    for (const ProcessStatus& stray : strays) {
        const Result<Process> process = open_process(stray.pid, stray.start_time);
        const Result<void> sent = process ? send_signal(*process, signal) : Result<void>(process.error());
        if (!sent && sent.error().code != ESRCH && sent.error().code != EPERM) missed.push_back(stray);
    }
    return missed;
}

ProcessTree kill_tree_now(const TreeQuery& query, SeenProcesses& seen) {
    // A process that was sent SIGKILL cannot fork any more, so the rounds end when several in a row find no new
    // process. A single round is not enough: it may miss a process in the middle of an exec (its environment cannot be
    // read then) or a list of children that changed while it was read. The number of rounds is limited because a worker
    // may fork faster than it can be scanned.
    constexpr int max_rounds = 200;
    constexpr int quiet_rounds_at_the_end = 5;
    int quiet_rounds = 0;
    SeenProcesses remembered = seen;
    SeenProcesses handled;
    ProcessTree unreachable;
    for (int round = 0; round < max_rounds && quiet_rounds < quiet_rounds_at_the_end; ++round) {
        // atomic for the group; processes that it does not reach are found by the scan
        (void)kill_group_now(query.leader);
        const ProcessTree tree = Scan{query, remembered}.run();
        const std::size_t handled_before = handled.size();
        unreachable = ProcessTree{};
        unreachable.not_known = tree.not_known;
        kill_members(tree.group, handled, unreachable.group, unreachable.not_known);
        kill_members(tree.strays, handled, unreachable.strays, unreachable.not_known);
        quiet_rounds = handled.size() == handled_before ? quiet_rounds + 1 : 0;
        seen = members_of(tree);
        for (const ProcessStatus& member : seen) {
            if (!contains(remembered, member)) remembered.push_back(member);
        }
    }
    if (unreachable.not_known) seen = remembered;
    return unreachable;
}

}  // namespace holdfast::os
