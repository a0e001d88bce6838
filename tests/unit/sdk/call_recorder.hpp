#pragma once

#include <functional>
#include <holdfast/message.hpp>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast::testing {

// Predicates for FakeSupervisor::wait_for.
inline bool accepts(const Report& report) { return report.accepting == true; }
inline bool has_stopped_accepting(const Report& report) { return report.accepting == false; }
inline bool is_drained(const Report& report) { return report.drained; }
inline bool is_releasing(const Report& report) { return report.releasing; }

// The entries of a drain report as lines: "request GET /", "resource pool (closing)".
inline std::vector<std::string> lines_of(const std::vector<Waiting>& waiting) {
    std::vector<std::string> lines;
    for (const Waiting& entry : waiting) lines.push_back(entry.kind + " " + entry.name);
    return lines;
}

// Whether a drain report has an entry with this line.
inline std::function<bool(const Report&)> names(std::string line) {
    return [line = std::move(line)](const Report& report) {
        for (const std::string& named : lines_of(report.waiting.value_or(std::vector<Waiting>{}))) {
            if (named == line) return true;
        }
        return false;
    };
}

// Records events in order, from any thread.
class CallRecorder {
  public:
    void record(std::string line) {
        const std::lock_guard lock(mutex_);
        lines_.push_back(std::move(line));
    }
    std::vector<std::string> lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    std::function<void()> callback(const std::string& line) {
        return [this, line] { record(line); };
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
};

}  // namespace holdfast::testing
