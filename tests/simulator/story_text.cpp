// The text format of stories: `policy workers=2 settle=1s`, `worker 3 crashes_after=500ms`, `incident what=restart
// at=12500ms`, …

#include <array>
#include <charconv>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "tests/simulator/fields.hpp"

namespace holdfast::simulator {

namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("not a story: " + what); }

template <class Number = std::int64_t>
Number number_of(std::string_view text) {
    Number number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc{} || end != text.data() + text.size()) fail(std::string(text) + " is not a number");
    return number;
}

std::pair<std::string, std::string> split(const std::string& text, char at) {
    const auto place = text.find(at);
    if (place == std::string::npos) return {text, ""};
    return {text.substr(0, place), text.substr(place + 1)};
}

template <class Enum>
constexpr auto words_of() {
    if constexpr (std::is_same_v<Enum, testing::Launch>)
        return std::to_array<std::string_view>({"succeeds", "fails", "hangs"});
    else if constexpr (std::is_same_v<Enum, testing::Messaging>)
        return std::to_array<std::string_view>({"silent", "notify", "protocol"});
    else if constexpr (std::is_same_v<Enum, testing::Asker>)
        return std::to_array<std::string_view>({"waits", "signal"});
    else if constexpr (std::is_same_v<Enum, core::ListenerClaim>)
        return std::to_array<std::string_view>({"not_known", "held", "missing"});
    else if constexpr (std::is_same_v<Enum, testing::PreparationScript::Result>)
        return std::to_array<std::string_view>({"succeeds", "fails", "never"});
    else if constexpr (std::is_same_v<Enum, core::Reload::Workers>)
        return std::to_array<std::string_view>({"no", "yes"});
    else if constexpr (std::is_same_v<Enum, ProtocolMix>)
        return std::to_array<std::string_view>({"protocol", "notify", "silent", "mixed"});
    else
        return std::to_array<std::string_view>({"restart", "stop", "quit", "scale", "scale_by", "pause", "resume",
                                                "rollback", "undo", "reload", "tick", "late_word", "late_preparation",
                                                "stall"});
}

template <class Enum>
requires std::is_enum_v<Enum> std::string write(Enum value) {
    return std::string(words_of<Enum>().at(static_cast<std::size_t>(value)));
}

template <class Enum>
requires std::is_enum_v<Enum>
void read(const std::string& text, Enum& value) {
    constexpr auto words = words_of<Enum>();
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words.at(i) == text) return void(value = static_cast<Enum>(i));
    fail(text + " is not a known value");
}

std::string write(int value) { return std::to_string(value); }
void read(const std::string& text, int& value) { value = static_cast<int>(number_of(text)); }

std::string write(Duration value) {
    if (value.count() % 1'000'000 == 0) return std::to_string(value.count() / 1'000'000) + "s";
    if (value.count() % 1'000 == 0) return std::to_string(value.count() / 1'000) + "ms";
    return std::to_string(value.count()) + "us";
}
void read(const std::string& text, Duration& value) {
    const auto unit = text.find_first_not_of("-0123456789");
    const std::int64_t number = number_of(text.substr(0, unit));
    const std::string name = unit == std::string::npos ? "" : text.substr(unit);
    if (name != "s" && name != "ms" && name != "us") fail(text + " is not a duration");
    value = Duration{number * (name == "s" ? 1'000'000 : name == "ms" ? 1'000 : 1)};
}

std::string write(const std::optional<Duration>& value) { return value ? write(*value) : "never"; }
void read(const std::string& text, std::optional<Duration>& value) {
    if (text == "never") return value.reset();
    read(text, value.emplace());
}

std::string write(const core::Share& value) { return std::to_string(value.amount) + (value.percent ? "%" : ""); }
void read(const std::string& text, core::Share& value) {
    value.percent = text.ends_with('%');
    value.amount = static_cast<int>(number_of(std::string_view(text).substr(0, text.size() - (value.percent ? 1 : 0))));
}

std::string write(const StageSet& value) { return std::to_string(value.bits); }
void read(const std::string& text, StageSet& value) { value.bits = static_cast<std::uint8_t>(number_of(text)); }

std::string write(const core::ReadyWhen& value) {
    if (std::holds_alternative<core::ReadyAuto>(value)) return "auto";
    if (std::holds_alternative<core::ReadyNotify>(value)) return "notify";
    if (const auto* alive = std::get_if<core::ReadyAlive>(&value)) return "alive:" + write(alive->lived);
    return "probe";
}
void read(const std::string& text, core::ReadyWhen& value) {
    const auto [word, rest] = split(text, ':');
    if (word == "auto") return void(value = core::ReadyAuto{});
    if (word == "notify") return void(value = core::ReadyNotify{});
    if (word == "probe") {
        using Probe = core::ReadyProbe;
        return void(value = Probe{Probe::How::http, Probe::Where::private_listener, "", "/"});
    }
    core::ReadyAlive alive;
    read(rest, alive.lived);
    value = alive;
}

std::string write(const ExitStatus& value) {
    if (const auto* exited = std::get_if<ExitedWith>(&value)) return "exit:" + std::to_string(exited->code);
    const KilledBy& killed = std::get<KilledBy>(value);
    return "signal:" + std::to_string(killed.signal) + (killed.dumped_core ? "/core" : "");
}
void read(const std::string& text, ExitStatus& value) {
    const auto [word, rest] = split(text, ':');
    if (word == "exit") return void(value = ExitedWith{static_cast<int>(number_of(rest))});
    const auto [signal, core] = split(rest, '/');
    value = KilledBy{static_cast<int>(number_of(signal)), core == "core"};
}

std::string write(const std::optional<testing::Wrapper>& value) {
    if (!value) return "none";
    return write(value->group_outlives) + "/" + (value->group_handles_signals ? "hears" : "deaf") + "/" +
           std::to_string(value->strays) + "/" + std::to_string(static_cast<int>(value->seen));
}
void read(const std::string& text, std::optional<testing::Wrapper>& value) {
    if (text == "none") return value.reset();
    const auto [outlives, rest] = split(text, '/');
    const auto [hears, remaining] = split(rest, '/');
    const auto [strays, seen] = split(remaining, '/');
    value.emplace();
    read(outlives, value->group_outlives);
    value->group_handles_signals = hears == "hears";
    value->strays = static_cast<int>(number_of(strays));
    if (!seen.empty()) value->seen = static_cast<testing::Wrapper::Seen>(number_of(seen));
}

// Writes the fields that differ from `usual`.
template <class Part>
std::string write_fields(Part part, Part usual, const std::string& prefix = "") {
    std::vector<std::string> defaults;
    each_field(usual, [&](const char*, auto& field) { defaults.push_back(write(field)); });
    std::string text;
    std::size_t index = 0;
    each_field(part, [&](const char* name, auto& field) {
        const std::string value = write(field);
        if (value != defaults[index++]) text += " " + prefix + name + "=" + value;
    });
    return text;
}

template <class Part>
void read_field(Part& part, const std::string& name, const std::string& value) {
    bool is_known = false;
    each_field(part, [&](const char* known, auto& field) {
        if (name != known) return;
        read(value, field);
        is_known = true;
    });
    if (!is_known) fail("there is no field " + name);
}

template <class Part>
void read_fields(std::istringstream& words, Part& part) {
    for (std::string word; words >> word;) {
        const auto [name, value] = split(word, '=');
        read_field(part, name, value);
    }
}

void read_incident(std::istringstream& words, Story& story) {
    Incident incident;
    incident.policy = story.policy;
    for (std::string word; words >> word;) {
        const auto [name, value] = split(word, '=');
        if (name.starts_with("rules.")) {
            read_field(incident.policy, name.substr(6), value);
        } else {
            read_field(incident, name, value);
        }
    }
    story.incidents.push_back(incident);
}

std::uint64_t ordinal_of(std::istringstream& words) {
    std::string word;
    words >> word;
    return number_of<std::uint64_t>(word);
}

void read_line(const std::string& line, Story& story) {
    std::istringstream words(line);
    std::string kind, value;
    if (!(words >> kind)) return;
    if (kind == "policy") return read_fields(words, story.policy);
    if (kind == "worker") return read_fields(words, story.scripts[ordinal_of(words)]);
    if (kind == "preparation") return read_fields(words, story.preparations[ordinal_of(words)]);
    if (kind == "incident") return read_incident(words, story);
    if (kind == "seed") return void(story.seed = ordinal_of(words));
    if (kind == "late") {
        Duration& late = story.lateness[ordinal_of(words)];
        words >> value;
        return read(value, late);
    }
    words >> value;
    if (kind == "company") return read(value, story.protocol_mix);
    if (kind == "roams_until") return read(value, story.roams_until);
    fail("a line must not begin with " + kind);
}

}  // namespace

std::string to_text(const testing::WorkerScript& script) { return write_fields(script, testing::WorkerScript{}); }

std::string to_text(const Story& story) {
    std::string text = "policy" + write_fields(story.policy, core::Policy{}) + "\nseed " + std::to_string(story.seed) +
                       "\ncompany " + write(story.protocol_mix) + "\n";
    for (const auto& [id, script] : story.scripts)
        text += "worker " + std::to_string(id) + write_fields(script, testing::WorkerScript{}) + "\n";
    for (const auto& [number, script] : story.preparations)
        text += "preparation " + std::to_string(number) + write_fields(script, testing::PreparationScript{}) + "\n";
    for (const auto& [number, late] : story.lateness)
        text += "late " + std::to_string(number) + " " + write(late) + "\n";
    for (const Incident& incident : story.incidents) {
        text += "incident what=" + write(incident.what);
        Incident usual;
        usual.what = incident.what;
        text += write_fields(incident, usual);
        if (incident.what == Incident::What::reload) text += write_fields(incident.policy, story.policy, "rules.");
        text += "\n";
    }
    return text + "roams_until " + write(story.roams_until) + "\n";
}

Story story_of(const std::string& text) {
    Story story;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) read_line(line, story);
    return story;
}

}  // namespace holdfast::simulator
