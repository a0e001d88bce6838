#include <set>
#include <vector>

#include "worker_use.hpp"

namespace {

using namespace holdfast::c;

// The struct that the program sees, and the objects that it points to.
struct Report : holdfast_report {
    explicit Report(holdfast::DrainReport made) : holdfast_report{}, source(std::move(made)), lines(source.text()) {
        size = sizeof(holdfast_report);
        stage = number_of(source.stage);
        remaining_usec = source.remaining ? source.remaining->count() : -1;
        requests = source.requests;
        sessions = source.sessions;
        tasks = source.tasks;
        work = source.work;
        resources = source.resources;
        served = source.served;
        handed_back = source.handed_back;
        text = lines.c_str();
        for (const holdfast::Waiting& held : source.waiting) {
            entries.push_back({held.kind.c_str(), held.name.c_str(), held.age_usec});
        }
        waiting_count = entries.size();
        waiting = entries.data();
        lost = source.lost;
        for (const std::string& one : source.failed) failures.push_back(one.c_str());
        failed_count = failures.size();
        failed = failures.data();
    }

    static int number_of(holdfast::Stage told) {
        switch (told) {
            case holdfast::Stage::run:
                return holdfast_stage_run;
            case holdfast::Stage::lame_duck:
                return holdfast_stage_lame_duck;
            case holdfast::Stage::pause:
                return holdfast_stage_pause;
            case holdfast::Stage::drain:
                return holdfast_stage_drain;
            case holdfast::Stage::cancel:
                return holdfast_stage_cancel;
        }
        return holdfast_stage_run;
    }

    const holdfast::DrainReport source;
    const std::string lines;
    std::vector<holdfast_waiting> entries;
    std::vector<const char*> failures;
};

// The reports that exist: the program holds their addresses, because it reads their members. A report may be freed only
// once, and only if it was made here.
class Reports {
  public:
    const holdfast_report* add(std::unique_ptr<const Report> report) {
        const std::lock_guard lock(mutex_);
        return *reports_.insert(report.release()).first;
    }

    void free(const holdfast_report* report) {
        const std::lock_guard lock(mutex_);
        if (reports_.erase(static_cast<const Report*>(report)) == 0) {
            throw Refused(EBADF,
                          "cannot free a report: it was freed before, perhaps through a copy of its address, or "
                          "holdfast_make_report() did not make it; free a report once");
        }
        delete static_cast<const Report*>(report);
    }

  private:
    std::mutex mutex_;
    std::set<const Report*> reports_;
};

Reports& reports() {
    static auto* const made = new Reports;  // never destroyed: reports may be freed while the process exits
    return *made;
}

}  // namespace

int holdfast_make_report(holdfast_worker* worker, const holdfast_report** report) {
    constexpr std::string_view what = "make a report";
    return guarded([&] {
        make_handle(report, what, [&] {
            const WorkerUse use(worker, what);
            return reports().add(std::make_unique<const Report>(use->worker.report()));
        });
    });
}

int holdfast_free_report(const holdfast_report** report) {
    return guarded([&] {
        const holdfast_report*& freed = not_null(report, "free a report", "the address of the report");
        // In a forked child, another thread may have held the mutex at the fork.
        if (freed != nullptr && holdfast::is_worker_process()) reports().free(freed);
        freed = nullptr;
    });
}
