#include "runtime/history.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "os/read_file.hpp"
#include "os/state_directory.hpp"
#include "runtime/clock.hpp"

namespace holdfast::runtime {

namespace {

constexpr std::size_t max_facts = 16;  // generations whose start is not recorded yet, with a margin

}  // namespace

History::History(boost::asio::io_context& io, Log& log, std::span<const std::string> directories) {
    auto state = os::open_state_directory(directories);
    if (!state) {
        log.write(core::Level::warning, "history_not_kept",
                  "the history is not saved and generation numbers start at 1, because no state directory is usable (" +
                      state.error().text + "); set one with --state-dir");
        return;
    }
    const std::string path = state->path + "/" + std::string(file_name);
    read(path + ".1");
    read(path);
    writer_.emplace(std::move(state->directory), std::string(file_name), max_file_bytes,
                    [&io, &log](core::Level level, std::string text) {
                        boost::asio::post(io, [&log, level, moved = std::move(text)] {
                            log.write(level, "history_not_written", moved);
                        });
                    });
}

History::~History() = default;

void History::set_program_facts(Generation generation, ProgramFacts facts) {
    facts_[generation] = std::move(facts);
    if (facts_.size() > max_facts) facts_.erase(facts_.begin());
}

void History::record(const core::Record& record) {
    // The facts of the first generation are known only after its first worker was launched.
    const bool has_facts = record.event == "prepared" || record.event == "ready";
    const auto known = has_facts ? facts_.extract(record.generation) : decltype(facts_)::node_type{};
    std::string line = history_line(utc_text(wall_clock()), record, known ? known.mapped() : ProgramFacts{});
    if (writer_) writer_->write(line);
    line.pop_back();
    last_generation_ = std::max(last_generation_, record.generation);
    keep(std::move(line));
}

void History::flush(Duration timeout) {
    if (writer_) writer_->flush(timeout);
}

void History::read(const std::string& path) {
    // The limit is twice our own, so that lines appended by other programs do not make the file unreadable.
    const auto text = os::read_file(path, 2 * max_file_bytes);
    if (!text) return;
    std::string_view rest = *text;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        if (end == std::string_view::npos) return;  // an incomplete line
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end + 1);
        const auto generation = generation_in(line);
        if (!generation) continue;
        last_generation_ = std::max(last_generation_, *generation);
        keep(std::string(line));
    }
}

void History::keep(std::string line) {
    lines_.push_back(std::move(line));
    if (lines_.size() > max_lines) lines_.pop_front();
}

}  // namespace holdfast::runtime
