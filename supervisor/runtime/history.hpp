#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "core/action.hpp"
#include "runtime/history_line.hpp"
#include "runtime/history_writer.hpp"
#include "runtime/log.hpp"

namespace holdfast::runtime {

// The history of generations, with one JSON object per line. Lines are appended to history.jsonl in the state
// directory; when the file reaches 1 MiB, it is renamed to history.jsonl.1. After a full disk or a partial write,
// incomplete lines are skipped when the file is read.
class History {
  public:
    static constexpr std::uint64_t max_file_bytes = 1U << 20;
    static constexpr std::size_t max_lines = 1000;
    static constexpr std::string_view file_name = "history.jsonl";

    // Opens the file in the first usable directory. If none is usable, a warning is logged and the history is kept only
    // in memory.
    History(boost::asio::io_context& io, Log& log, std::span<const std::string> directories);
    ~History();

    // Stores facts that are added once to the next "prepared" or "ready" record of this generation.
    void set_program_facts(Generation generation, ProgramFacts facts);

    void record(const core::Record& record);

    // The highest generation in the history; 0: none.
    Generation last_generation() const { return last_generation_; }

    // The last lines of the history, JSON objects without newlines, oldest first.
    std::vector<std::string> lines() const { return {lines_.begin(), lines_.end()}; }

    // Waits until all lines are written, at most for `timeout`.
    void flush(Duration timeout);

  private:
    void read(const std::string& path);
    void keep(std::string line);

    std::deque<std::string> lines_;
    std::map<Generation, ProgramFacts> facts_;
    Generation last_generation_;
    std::optional<HistoryWriter> writer_;  // empty: no file
};

}  // namespace holdfast::runtime
