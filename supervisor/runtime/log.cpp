#include "runtime/log.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "json/writer.hpp"
#include "runtime/clock.hpp"
#include "wire/wire.hpp"

namespace holdfast::runtime {

namespace {

// Passes finished lines to the output thread.
class OutputSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    explicit OutputSink(Output& output) : output_(output) {}

  private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        output_.write(std::string(line.data(), line.size()));
    }
    void flush_() override {}

    Output& output_;
};

spdlog::level::level_enum to_spdlog(core::Level level) {
    switch (level) {
        case core::Level::debug:
            return spdlog::level::debug;
        case core::Level::info:
            return spdlog::level::info;
        case core::Level::warning:
            return spdlog::level::warn;
        case core::Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

// `text` is printable.
std::string json_line(std::string_view level, Instant moment, std::string_view event, const LogSubject& subject,
                      std::string_view text) {
    json::Writer line;
    line.open_object().member("time", utc_text(wall_clock())).member("level", level);
    line.member("mono_usec", to_usec(moment)).member("event", event);
    if (!subject.worker.empty()) line.member("worker", subject.worker);
    if (subject.pid != 0) line.member("pid", subject.pid);
    return line.member("text", text).close_object().take();
}

std::string text_line(const LogSubject& subject, std::string_view text) {
    std::string line;
    if (!subject.worker.empty()) {
        line = "worker " + subject.worker;
        if (subject.pid != 0) line += " (pid " + std::to_string(subject.pid) + ")";
        line += ": ";
    }
    line += text;
    return line;
}

// The object that a handle of follow() owns.
struct Follower {
    explicit Follower(std::function<void(std::string_view)> whom) : on_line(std::move(whom)) {}
    std::function<void(std::string_view)> on_line;
};

void tell_followers(std::vector<std::weak_ptr<Follower>>& followers, std::string_view line) {
    // Iterates over a copy, because a callback may call follow() or destroy a handle.
    const auto heard = followers;
    for (const auto& weak : heard) {
        if (const auto follower = weak.lock()) follower->on_line(line);
    }
    std::erase_if(followers, [](const auto& weak) { return weak.expired(); });
}

}  // namespace

struct Log::Implementation {
    core::LogFormat format;
    spdlog::logger logger;
    std::optional<Instant> stopped_at;
    std::vector<std::weak_ptr<Follower>> followers;
};

Log::Log(Output& output, core::LogFormat format, std::string_view service, std::string_view level)
    : implementation_(
          new Implementation{format, spdlog::logger("holdfast", std::make_shared<OutputSink>(output)), {}, {}}) {
    const std::string pattern =
        format == core::LogFormat::json ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ holdfast[" + std::string(service) + "] %l: %v";
    implementation_->logger.set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
    implementation_->logger.set_level(spdlog::level::from_str(std::string(level)));
}

Log::~Log() = default;

std::shared_ptr<void> Log::follow(std::function<void(std::string_view)> on_line) {
    auto follower = std::make_shared<Follower>(std::move(on_line));
    implementation_->followers.emplace_back(follower);
    return follower;
}

void Log::stop_clock(Instant moment) { implementation_->stopped_at = moment; }

void Log::start_clock() { implementation_->stopped_at.reset(); }

void Log::write(core::Level level, std::string_view event, const LogSubject& subject, std::string_view text) {
    const auto spdlog_level = to_spdlog(level);
    const bool is_followed = !implementation_->followers.empty();
    const bool is_logged = implementation_->logger.should_log(spdlog_level);
    if (!is_followed && !is_logged) return;
    const bool is_json = implementation_->format == core::LogFormat::json;
    const Instant moment = implementation_->stopped_at.value_or(now());
    // Text from outside must not be able to forge a line or to move the cursor.
    const std::string printable = wire::printable(text);
    const auto name = spdlog::level::to_string_view(spdlog_level);
    const std::string json =
        is_followed || is_json ? json_line({name.data(), name.size()}, moment, event, subject, printable) : "";
    if (is_followed) tell_followers(implementation_->followers, json);
    if (!is_logged) return;
    // A string_view is logged as it is, because the text may contain braces.
    implementation_->logger.log(spdlog_level, spdlog::string_view_t(is_json ? json : text_line(subject, printable)));
}

}  // namespace holdfast::runtime
