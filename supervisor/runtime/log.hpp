#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "core/action.hpp"
#include "core/configuration.hpp"
#include "runtime/output.hpp"

namespace holdfast::runtime {

// The worker that a line is about; an empty name: none.
struct LogSubject {
    std::string worker;  // "1.0"
    int pid = 0;         // 0: not launched yet
};

// The log of the supervisor: one line per event, as text or JSON. Not thread-safe: use from the loop's thread.
class Log {
  public:
    // `output` is borrowed. `level` is one of debug, info, warning, error.
    Log(Output& output, core::LogFormat format, std::string_view service, std::string_view level);
    ~Log();

    // `event` is a stable identifier for tools, `text` a sentence. Control characters in `text` are escaped.
    void write(core::Level level, std::string_view event, const LogSubject& subject, std::string_view text);
    void write(core::Level level, std::string_view event, std::string_view text) { write(level, event, {}, text); }

    // Calls `on_line` with each line as a JSON object, regardless of the level and format of the log, until the
    // returned handle or the log is destroyed. `on_line` must not write to the log.
    [[nodiscard]] std::shared_ptr<void> follow(std::function<void(std::string_view)> on_line);

    // Until start_clock() all lines get this timestamp, the time at which the core received the event. Otherwise its
    // decisions would appear late by the duration of the actions, and the next deadline early by the same amount.
    void stop_clock(Instant moment);
    void start_clock();

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace holdfast::runtime
