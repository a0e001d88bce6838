#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/action.hpp"
#include "core/state.hpp"

namespace holdfast::core {

// The context of one step: the state, the current time, and the actions to execute, in order.
struct StepContext {
    State& state;
    Instant now;
    std::vector<Action> actions = {};

    void add(Action action) { actions.push_back(std::move(action)); }
    void note(Level level, std::string_view event, std::string text) {
        add(Note{level, event, std::nullopt, std::move(text)});
    }
    void note(Level level, std::string_view event, const Worker& worker, std::string text) {
        add(Note{level, event, worker.id, std::move(text)});
    }
    void record(Generation generation, std::string_view event, std::string text, std::string worker = {}) {
        add(Record{generation, event, std::move(worker), std::move(text)});
    }
    void answer(const std::vector<RequestId>& requests, const Outcome& outcome) {
        for (const RequestId request : requests) answer(request, outcome);
    }
    // Each request is answered once. Request 0 stands for a signal and gets no answer.
    void answer(RequestId request, Outcome outcome) {
        if (request.value != 0) add(Answer{request, std::move(outcome)});
    }
    // Changes nothing; logs the reason and answers the request with it.
    void refuse(RequestId request, const std::string& text) {
        note(Level::warning, "request_refused", text);
        answer(request, {Outcome::Result::refused, text, {}, 1});
    }
};

}  // namespace holdfast::core
