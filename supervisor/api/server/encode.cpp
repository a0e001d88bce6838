#include "api/server/encode.hpp"

#include "json/writer.hpp"

namespace holdfast::api {
namespace {

void write_lines(json::Writer& json, std::string_view name, const std::vector<std::string>& lines) {
    json.key(name).open_array();
    for (const std::string& line : lines) json.value(line);
    json.close_array();
}

void write_time_left(json::Writer& json, std::string_view name, const std::optional<Instant>& until, Instant now) {
    json.key(name);
    until ? json.value(*until - now) : json.null();
}

void write_waiting(json::Writer& json, const std::vector<Waiting>& waiting) {
    json.key("waiting").open_array();
    for (const Waiting& entry : waiting) {
        json.open_object();
        json.member("kind", entry.kind).member("name", entry.name).member("age_s", Duration{entry.age_usec});
        json.close_object();
    }
    json.close_array();
}

void write_held(json::Writer& json, const std::vector<HeldCount>& held) {
    json.key("held").open_array();
    for (const HeldCount& number : held) {
        json.open_object().member("kind", number.kind).member("count", number.count).close_object();
    }
    json.close_array();
}

void write_worker(json::Writer& json, const core::WorkerStatus& worker, Instant now) {
    json.open_object();
    json.member("worker", std::to_string(worker.generation.value) + "." + std::to_string(worker.slot.value));
    json.member("generation", worker.generation.value).member("slot", worker.slot.value).member("pid", worker.pid);
    json.member("state", core::to_string(worker.state));
    json.member("since_s", now - worker.since);
    write_time_left(json, "deadline_s", worker.deadline, now);
    json.member("speaks", to_word(worker.speaks)).member("settled", worker.settled);
    json.member("accepting", worker.accepting);
    json.member("in_flight", worker.in_flight).member("served", worker.served);
    write_waiting(json, worker.waiting);
    write_held(json, worker.held);
    json.member("handed_back", worker.handed_back);
    json.member("lost", worker.lost);
    json.member("not_seen", worker.not_seen);
    json.key("drained_s");
    worker.drained_at ? json.value(now - *worker.drained_at) : json.null();
    json.member("status", worker.text).member("why_leaving", worker.why_leaving);
    json.member("recall", to_word(worker.recall)).member("probe", worker.probe);
    write_time_left(json, "silent_s", worker.silent_until, now);
    json.close_object();
}

void write_slot(json::Writer& json, const core::SlotStatus& slot, Instant now) {
    json.open_object();
    json.member("slot", slot.slot.value).member("crashes_in_a_row", slot.crashes_in_a_row);
    write_time_left(json, "next_attempt_s", slot.next_attempt, now);
    json.member("last_failure", slot.last_failure);
    write_lines(json, "last_words", slot.last_words);
    json.close_object();
}

void write_listener(json::Writer& json, const core::ListenerStatus& listener) {
    json.open_object();
    json.member("name", listener.name).member("address", listener.address);
    json.member("backlog", listener.backlog).member("revived", listener.revived);
    json.close_object();
}

void write_change(json::Writer& json, const core::ChangeStatus& change, Instant now) {
    json.open_object();
    json.member("what", change.what).member("asked_by", change.asked_by);
    json.member("stage", change.stage).member("failure", change.failure);
    write_time_left(json, "deadline_s", change.deadline, now);
    json.member("waiting", change.waiting);
    json.close_object();
}

void write_last_output(json::Writer& json, const core::LastOutput& output) {
    json.open_object();
    json.member("worker", output.worker).member("pid", output.pid);
    json.member("of", output.of == core::LastOutput::Of::living ? "living" : "ended");
    write_lines(json, "lines", output.lines);
    json.close_object();
}

}  // namespace

std::string_view to_word(core::Phase phase) {
    switch (phase) {
        case core::Phase::starting:
            return "starting";
        case core::Phase::serving:
            return "serving";
        case core::Phase::rolling_out:
            return "rolling_out";
        case core::Phase::rolling_back:
            return "rolling_back";
        case core::Phase::probation:
            return "probation";
        case core::Phase::paused:
            return "paused";
        case core::Phase::scaling:
            return "scaling";
        case core::Phase::stopping:
            return "stopping";
        case core::Phase::finished:
            return "finished";
    }
    return "unknown";
}

std::string_view to_word(core::Speaks speaks) {
    switch (speaks) {
        case core::Speaks::nothing:
            return "nothing";
        case core::Speaks::notify:
            return "notify";
        case core::Speaks::protocol:
            return "protocol";
    }
    return "unknown";
}

std::string_view to_word(core::WorkerStatus::Recall recall) {
    return recall == core::WorkerStatus::Recall::awaited ? "awaited" : "none";
}

std::string_view to_word(core::Outcome::Result result) {
    switch (result) {
        case core::Outcome::Result::done:
            return "done";
        case core::Outcome::Result::failed:
            return "failed";
        case core::Outcome::Result::mixed:
            return "mixed";
        case core::Outcome::Result::superseded:
            return "superseded";
        case core::Outcome::Result::interrupted:
            return "interrupted";
        case core::Outcome::Result::undone:
            return "undone";
        case core::Outcome::Result::refused:
            return "refused";
    }
    return "unknown";
}

int http_status_of(core::Outcome::Result result) {
    switch (result) {
        case core::Outcome::Result::done:
            return 200;
        case core::Outcome::Result::failed:
        case core::Outcome::Result::mixed:
            return 500;
        case core::Outcome::Result::superseded:
        case core::Outcome::Result::interrupted:
        case core::Outcome::Result::undone:
        case core::Outcome::Result::refused:
            return 409;
    }
    return 500;
}

std::string to_json(const core::Status& status) {
    json::Writer json(json::ControlCharacters::hexadecimal);
    json.open_object();
    json.member("name", status.name).member("pid", status.pid).member("phase", to_word(status.phase));
    json.member("detail", status.detail).member("mixed", status.mixed).member("target", status.target);
    json.member("generation", status.generation.value).member("restarts", status.restarts);
    json.member("ready", status.ready).member("unready_because", status.unready_because);
    json.member("refusing", status.refusing);
    json.key("change");
    status.change ? write_change(json, *status.change, status.now) : static_cast<void>(json.null());
    write_time_left(json, "paused_s", status.paused_until, status.now);
    json.key("rollback_to");
    status.rollback_to ? json.value(status.rollback_to->value) : json.null();
    json.key("workers").open_array();
    for (const core::WorkerStatus& worker : status.workers) write_worker(json, worker, status.now);
    json.close_array().key("slots").open_array();
    for (const core::SlotStatus& slot : status.slots) write_slot(json, slot, status.now);
    json.close_array().key("listeners").open_array();
    for (const core::ListenerStatus& listener : status.listeners) write_listener(json, listener);
    return json.close_array().close_object().take();
}

std::string to_json(const core::Outcome& outcome) {
    json::Writer json(json::ControlCharacters::hexadecimal);
    json.open_object();
    json.member("result", to_word(outcome.result)).member("text", outcome.text);
    write_lines(json, "last_words", outcome.last_words);
    return json.member("exit_code", outcome.exit_code).close_object().take();
}

std::string to_json(const std::vector<core::LastOutput>& outputs) {
    json::Writer json(json::ControlCharacters::hexadecimal);
    json.open_array();
    for (const core::LastOutput& output : outputs) write_last_output(json, output);
    return json.close_array().take();
}

std::string objects_to_json(std::span<const std::string> objects) {
    std::string json = "[";
    for (const std::string& object : objects) {
        if (json.size() > 1) json += ',';
        json += object;
    }
    return json + "]";
}

std::string text_to_json(std::string_view text) {
    return json::Writer(json::ControlCharacters::hexadecimal).open_object().member("text", text).close_object().take();
}

std::string error_to_json(std::string_view text) {
    return json::Writer(json::ControlCharacters::hexadecimal).open_object().member("error", text).close_object().take();
}

}  // namespace holdfast::api
