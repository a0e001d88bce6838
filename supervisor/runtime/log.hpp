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

// Which worker a line is about; an empty name: none.
struct LogSubject {
    std::string worker;  // "1.0"
    int pid = 0;         // 0: not launched yet
};

// The supervisor's own words: one line an event, as text for people or JSON for tools. Loop thread alone.
class Log {
  public:
    // `output` is borrowed. `level` is one of debug, info, warning, error.
    Log(Output& output, core::LogFormat format, std::string_view service, std::string_view level);
    ~Log();

    // `event` is a stable word, `text` a sentence; control characters in it are escaped.
    void write(core::Level level, std::string_view event, const LogSubject& subject, std::string_view text);
    void write(core::Level level, std::string_view event, std::string_view text) { write(level, event, {}, text); }

    // `on_line` is called with each line as one JSON object, whatever the log's level and format, until the handle or
    // the log ends. It must not write to the log.
    [[nodiscard]] std::shared_ptr<void> follow(std::function<void(std::string_view)> on_line);

    // Until the clock goes on, lines are stamped with this moment: the one that the core was told. What it decided then
    // would look late by as long as the doing took, and a deadline early by as much.
    void stop_clock(Instant moment);
    void start_clock();

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace holdfast::runtime
