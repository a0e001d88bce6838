#include <vector>

#include "handles.hpp"

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
};

}  // namespace

int holdfast_make_report(holdfast_worker* worker, const holdfast_report** report) {
    constexpr std::string_view what = "make a report";
    return guarded([&] {
        make_handle(report, what, [&]() -> const holdfast_report* {
            return new Report(not_null(worker, what, "worker").worker.report());
        });
    });
}

int holdfast_free_report(const holdfast_report** report) {
    return guarded([&] {
        delete static_cast<const Report*>(
            std::exchange(not_null(report, "free a report", "the address of the handle"), nullptr));
    });
}
