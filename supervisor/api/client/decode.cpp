#include "api/client/decode.hpp"

#include "api/client/http_call.hpp"
#include "json/parse.hpp"

namespace holdfast::api {

namespace {

constexpr json::Limits answer_limits{.bytes = max_answer_bytes, .depth = 32};

void read(const json::value& from, std::string& to) {
    if (from.is_string()) to = std::string(from.get_string());
}
void read(const json::value& from, bool& to) {
    if (from.is_bool()) to = from.get_bool();
}
void read(const json::value& from, double& to) {
    if (from.is_number()) to = from.to_number<double>();
}
void read(const json::value& from, int& to) {
    json::error_code failure;
    const int number = from.is_number() ? from.to_number<int>(failure) : to;
    if (!failure) to = number;
}
void read(const json::value& from, std::uint64_t& to) {
    json::error_code failure;
    const auto number = from.is_number() ? from.to_number<std::uint64_t>(failure) : to;
    if (!failure) to = number;
}
void read(const json::value& from, ChangeView& to);
template <class T>
void read(const json::value& from, std::optional<T>& to) {
    if (!from.is_null()) read(from, to.emplace());
}
template <class T>
void read(const json::value& from, std::vector<T>& to);

template <class T>
void member(const json::object& object, std::string_view key, T& to) {
    if (const json::value* value = object.if_contains({key.data(), key.size()})) read(*value, to);
}

void read(const json::value& from, WaitingView& to) {
    if (!from.is_object()) return;
    const json::object& object = from.get_object();
    member(object, "kind", to.kind);
    member(object, "name", to.name);
    member(object, "age_s", to.age_s);
}

void read(const json::value& from, HeldView& to) {
    if (!from.is_object()) return;
    member(from.get_object(), "kind", to.kind);
    member(from.get_object(), "count", to.count);
}

void read(const json::value& from, WorkerView& to) {
    if (!from.is_object()) return;
    const json::object& object = from.get_object();
    member(object, "worker", to.worker);
    member(object, "generation", to.generation);
    member(object, "slot", to.slot);
    member(object, "pid", to.pid);
    member(object, "state", to.state);
    member(object, "since_s", to.since_s);
    member(object, "deadline_s", to.deadline_s);
    member(object, "speaks", to.speaks);
    member(object, "settled", to.settled);
    member(object, "accepting", to.accepting);
    member(object, "in_flight", to.in_flight);
    member(object, "served", to.served);
    member(object, "waiting", to.waiting);
    member(object, "held", to.held);
    member(object, "handed_back", to.handed_back);
    member(object, "lost", to.lost);
    member(object, "not_seen", to.not_seen);
    member(object, "drained_s", to.drained_s);
    member(object, "status", to.status);
    member(object, "why_leaving", to.why_leaving);
    member(object, "recall", to.recall);
    member(object, "probe", to.probe);
    member(object, "silent_s", to.silent_s);
}

void read(const json::value& from, SlotView& to) {
    if (!from.is_object()) return;
    const json::object& object = from.get_object();
    member(object, "slot", to.slot);
    member(object, "crashes_in_a_row", to.crashes_in_a_row);
    member(object, "next_attempt_s", to.next_attempt_s);
    member(object, "last_failure", to.last_failure);
    member(object, "last_words", to.last_words);
}

void read(const json::value& from, ChangeView& to) {
    if (!from.is_object()) return;
    const json::object& object = from.get_object();
    member(object, "what", to.what);
    member(object, "asked_by", to.asked_by);
    member(object, "stage", to.stage);
    member(object, "failure", to.failure);
    member(object, "deadline_s", to.deadline_s);
    member(object, "waiting", to.waiting);
}

void read(const json::value& from, OutputView& to) {
    if (!from.is_object()) return;
    const json::object& object = from.get_object();
    member(object, "worker", to.worker);
    member(object, "pid", to.pid);
    member(object, "of", to.of);
    member(object, "lines", to.lines);
}

void read(const json::value& from, ListenerView& to) {
    if (!from.is_object()) return;
    const json::object& object = from.get_object();
    member(object, "name", to.name);
    member(object, "address", to.address);
    member(object, "backlog", to.backlog);
    member(object, "revived", to.revived);
}

template <class T>
void read(const json::value& from, std::vector<T>& to) {
    if (!from.is_array()) return;
    for (const json::value& element : from.get_array()) read(element, to.emplace_back());
}

Error not_understood(const std::string& text) {
    return error("cannot parse the supervisor's response: " + text.substr(0, 200));
}

Result<json::array> read_array(const std::string& text) {
    auto value = json::parse(text, answer_limits);
    if (!value || !value->is_array()) return not_understood(text);
    return std::move(value->get_array());
}

Result<json::object> read_object(const std::string& text) {
    auto value = json::parse(text, answer_limits);
    if (!value || !value->is_object()) return not_understood(text);
    return std::move(value->get_object());
}

}  // namespace

Result<ServiceView> decode_status(const std::string& text) {
    auto object = read_object(text);
    if (!object) return object.error();
    ServiceView view;
    member(*object, "name", view.name);
    member(*object, "pid", view.pid);
    member(*object, "phase", view.phase);
    member(*object, "detail", view.detail);
    member(*object, "mixed", view.mixed);
    member(*object, "target", view.target);
    member(*object, "generation", view.generation);
    member(*object, "restarts", view.restarts);
    member(*object, "ready", view.ready);
    member(*object, "unready_because", view.unready_because);
    member(*object, "refusing", view.refusing);
    member(*object, "change", view.change);
    member(*object, "paused_s", view.paused_s);
    member(*object, "rollback_to", view.rollback_to);
    member(*object, "workers", view.workers);
    member(*object, "slots", view.slots);
    member(*object, "listeners", view.listeners);
    return view;
}

Result<ChangeOutcome> decode_outcome(const std::string& text) {
    auto object = read_object(text);
    if (!object) return object.error();
    ChangeOutcome answer;
    member(*object, "result", answer.result);
    member(*object, "text", answer.text);
    member(*object, "last_words", answer.last_words);
    member(*object, "exit_code", answer.exit_code);
    return answer;
}

Result<std::vector<OutputView>> decode_outputs(const std::string& text) {
    const auto array = read_array(text);
    if (!array) return array.error();
    std::vector<OutputView> outputs;
    for (const json::value& element : *array) read(element, outputs.emplace_back());
    return outputs;
}

Result<EventView> decode_event(std::string text) {
    const auto object = read_object(text);
    if (!object) return object.error();
    EventView event;
    member(*object, "time", event.time);
    member(*object, "level", event.level);
    member(*object, "event", event.event);
    member(*object, "worker", event.worker);
    member(*object, "pid", event.pid);
    member(*object, "text", event.text);
    member(*object, "count", event.count);
    event.json = std::move(text);
    return event;
}

Result<std::vector<std::string>> decode_objects(const std::string& text) {
    const auto array = read_array(text);
    if (!array) return array.error();
    std::vector<std::string> objects;
    for (const json::value& element : *array) objects.push_back(json::serialize(element));
    return objects;
}

Result<std::string> decode_text(const std::string& text) {
    const auto object = read_object(text);
    if (!object) return object.error();
    std::string sentence;
    member(*object, "text", sentence);
    return sentence;
}

std::string decode_error(const std::string& text) {
    auto object = read_object(text);
    std::string sentence = text;
    if (object) member(*object, "error", sentence);
    return sentence;
}

}  // namespace holdfast::api
