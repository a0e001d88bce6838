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

// The history of generations: a JSON object a line, appended to history.jsonl in the state directory, which is renamed
// to history.jsonl.1 when it has grown to 1 MiB. Whole after a full disk or a torn write: pieces of lines are skipped.
class History {
  public:
    static constexpr std::uint64_t max_file_bytes = 1U << 20;
    static constexpr std::size_t max_lines = 1000;
    static constexpr std::string_view file_name = "history.jsonl";

    // Keeps its file in the first of the directories that can be had. Where none can, the log says so, and the history
    // lasts as long as this process.
    History(boost::asio::io_context& io, Log& log, std::span<const std::string> directories);
    ~History();

    // Added, once, to the record that this generation is prepared or ready.
    void set_program_facts(Generation generation, ProgramFacts facts);

    void record(const core::Record& record);

    // The last generation that it tells of; 0: none.
    Generation last_generation() const { return last_generation_; }

    // Its last lines, JSON objects without line ends, oldest first.
    std::vector<std::string> lines() const { return {lines_.begin(), lines_.end()}; }

    // Waits until everything is written, at most `timeout`.
    void flush(Duration timeout);

  private:
    void read(const std::string& path);
    void keep(std::string line);

    std::deque<std::string> lines_;
    std::map<Generation, ProgramFacts> facts_;
    Generation last_generation_;
    std::optional<HistoryWriter> writer_;  // none: no file
};

}  // namespace holdfast::runtime
