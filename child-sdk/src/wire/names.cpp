#include <array>
#include <utility>

#include "wire/wire.hpp"

namespace holdfast::wire {

namespace {

constexpr std::array stages{
    std::pair{Stage::run, std::string_view("run")},       std::pair{Stage::lame_duck, std::string_view("lame-duck")},
    std::pair{Stage::pause, std::string_view("pause")},   std::pair{Stage::drain, std::string_view("drain")},
    std::pair{Stage::cancel, std::string_view("cancel")},
};

constexpr std::array reasons{
    std::pair{Reason::restart, std::string_view("restart")},
    std::pair{Reason::stop, std::string_view("stop")},
    std::pair{Reason::scale, std::string_view("scale")},
    std::pair{Reason::recycle, std::string_view("recycle")},
    std::pair{Reason::unhealthy, std::string_view("unhealthy")},
    std::pair{Reason::rollback, std::string_view("rollback")},
};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value wanted) {
    for (const auto& [value, name] : table) {
        if (value == wanted) return name;
    }
    return {};
}

template <class Value, class Table>
std::optional<Value> value_in(const Table& table, std::string_view wanted) {
    for (const auto& [value, name] : table) {
        if (name == wanted) return value;
    }
    return std::nullopt;
}

}  // namespace

std::string_view name_of(Stage stage) { return name_in(stages, stage); }
std::string_view name_of(Reason reason) { return name_in(reasons, reason); }
std::optional<Stage> stage_of(std::string_view name) { return value_in<Stage>(stages, name); }
std::optional<Reason> reason_of(std::string_view name) { return value_in<Reason>(reasons, name); }

std::size_t report_bytes_of(std::string_view kind, std::string_view name) { return kind.size() + name.size() + 24; }

}  // namespace holdfast::wire
