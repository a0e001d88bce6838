#include "callbacks.hpp"
#include "worker_use.hpp"

using namespace holdfast::c;

int holdfast_hold_work(holdfast_worker* worker, const char* name, holdfast_callback hand_back, void* user,
                       holdfast_work** work) {
    constexpr std::string_view what = "hold work";
    return guarded(
        [&] {
            make_handle(work, what, [&] {
                const auto function = &not_null(hand_back, what, "hand_back");
                auto made = std::make_unique<WorkObject>();
                const WorkerUse use(worker, what);
                made->work = use->worker.hold_work(&not_null(name, what, "name"),
                                                   [function, user] { call<CallbackKind::plain>(function, user); });
                return add_handle<holdfast_work>(std::move(made));
            });
        },
        misuse_of(ESHUTDOWN));
}

int holdfast_claim_work(holdfast_work* work) {
    return guarded([&] { return pin(work, "claim work")->work.claim() == holdfast::Work::Outcome::ours ? 1 : 0; });
}

int holdfast_finish_work(holdfast_work** work) {
    constexpr std::string_view what = "finish work";
    return guarded([&] {
        not_null(work, what, "the address of the handle");
        const auto ended = end(work, what);
        ended.wait_until_alone();
        return ended->work.finish() == holdfast::Work::Outcome::ours ? 1 : 0;
    });
}

int holdfast_drop_work(holdfast_work** work) {
    constexpr std::string_view what = "drop work";
    return guarded([&] {
        if (not_null(work, what, "the address of the handle") == nullptr) return;
        end(work, what).wait_until_alone();  // destroys it, which hands it back
    });
}
