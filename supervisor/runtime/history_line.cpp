#include "runtime/history_line.hpp"

#include <algorithm>
#include <charconv>

#include "wire/wire.hpp"

namespace holdfast::runtime {

namespace {

constexpr std::size_t longest_text = 1024;

void add(std::string& line, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    line.append(",\"").append(key).append("\":\"");
    // printable() leaves no control characters and no bytes that are not UTF-8.
    for (const char character : wire::printable(wire::cut(value, longest_text))) {
        if (character == '"' || character == '\\') line += '\\';
        line += character;
    }
    line += '"';
}

// Parses a flat JSON object of strings and numbers, which is all that the history contains.
class Reader {
  public:
    explicit Reader(std::string_view line) : rest_(line) {}

    std::optional<Generation> read() {
        if (!take("{")) return std::nullopt;
        do {
            const auto key = string();
            if (!key || !take(":")) return std::nullopt;
            const auto value = starts_with_digit() ? number() : string();
            if (!value) return std::nullopt;
            note(*key, *value);
        } while (take(","));
        if (!take("}") || !rest_.empty() || !has_time_ || !has_event_) return std::nullopt;
        return generation_;
    }

  private:
    bool take(std::string_view what) {
        if (!rest_.starts_with(what)) return false;
        rest_.remove_prefix(what.size());
        return true;
    }

    bool starts_with_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }

    std::optional<std::string_view> number() {
        const auto end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
        const auto digits = rest_.substr(0, end);
        rest_.remove_prefix(end);
        if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
        return digits;
    }

    std::optional<std::string_view> string() {
        if (!take("\"")) return std::nullopt;
        for (std::size_t at = 0; at < rest_.size(); ++at) {
            const auto byte = static_cast<unsigned char>(rest_[at]);
            if (byte < 0x20) return std::nullopt;
            if (byte == '\\') {
                ++at;
                if (at >= rest_.size() || (rest_[at] != '"' && rest_[at] != '\\')) return std::nullopt;
            } else if (byte == '"') {
                const auto text = rest_.substr(0, at);
                rest_.remove_prefix(at + 1);
                if (wire::printable(text) != text) return std::nullopt;
                return text;
            }
        }
        return std::nullopt;
    }

    void note(std::string_view key, std::string_view value) {
        if (key == "time") has_time_ = true;
        if (key == "event") has_event_ = true;
        if (key != "generation") return;
        std::uint64_t number = 0;
        const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (problem == std::errc{} && end == value.data() + value.size()) generation_ = Generation{number};
    }

    std::string_view rest_;
    std::optional<Generation> generation_;
    bool has_time_ = false;
    bool has_event_ = false;
};

}  // namespace

std::string history_line(std::string_view time, const core::Record& record, const ProgramFacts& facts) {
    std::string line =
        "{\"time\":\"" + std::string(time) + "\",\"generation\":" + std::to_string(record.generation.value);
    add(line, "event", record.event);
    add(line, "worker", record.worker);
    add(line, "text", record.text);
    add(line, "program", facts.program);
    add(line, "build_id", facts.build_id);
    add(line, "configuration", facts.configuration);
    return line + "}\n";
}

std::optional<Generation> generation_in(std::string_view line) { return Reader(line).read(); }

}  // namespace holdfast::runtime
