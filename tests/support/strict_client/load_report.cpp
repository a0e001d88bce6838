#include "load_report.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <functional>
#include <numeric>

namespace holdfast::test {
namespace json = boost::json;
namespace {

struct FailureName {
    Failure failure;
    std::string_view name;
};

constexpr std::array<FailureName, failure_classes> failure_names{{
    {Failure::refused, "refused"},
    {Failure::no_such_path, "no such path"},
    {Failure::connect_timed_out, "connect timed out"},
    {Failure::reset_on_fresh, "reset on a fresh connection"},
    {Failure::closed_on_fresh, "closed on a fresh connection"},
    {Failure::reset_on_reused, "reset on a reused connection"},
    {Failure::closed_on_reused, "closed on a reused connection"},
    {Failure::truncated, "truncated"},
    {Failure::malformed, "malformed"},
    {Failure::bad_status, "bad status"},
    {Failure::timed_out, "timed out"},
    {Failure::other, "other"},
}};

std::string milliseconds(Duration duration) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f ms", static_cast<double>(duration.count()) / 1000.0);
    return text;
}

Duration duration_at(const json::object& object, std::string_view key) {
    return Duration{object.at(key).to_number<std::int64_t>()};
}

std::string table_row(std::string_view title, std::span<const LoadReport> reports,
                      const std::function<std::string(const LoadReport&)>& cell) {
    std::string row(title);
    row.resize(34, ' ');
    for (const LoadReport& report : reports) {
        std::string text = cell(report);
        text.insert(0, text.size() < 16 ? 16 - text.size() : 0, ' ');
        row += text;
    }
    return row + '\n';
}

}  // namespace

std::string_view to_string(Failure failure) { return failure_names[static_cast<std::size_t>(failure)].name; }

std::uint64_t LoadReport::failed() const { return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0}); }

void fill_percentiles(LoadReport& report, std::vector<std::uint32_t>& latencies_usec) {
    if (latencies_usec.empty()) return;
    std::ranges::sort(latencies_usec);
    const auto at = [&](double share) {
        const auto index = static_cast<std::size_t>(share * static_cast<double>(latencies_usec.size() - 1));
        return Duration{latencies_usec[index]};
    };
    report.p50 = at(0.50);
    report.p90 = at(0.90);
    report.p99 = at(0.99);
    report.max = at(1.0);
}

std::string to_json(const LoadReport& report) {
    json::object failures, generations;
    for (const auto& [failure, name] : failure_names) failures[name] = report.count(failure);
    for (const auto& [generation, count] : report.by_generation) generations[std::to_string(generation)] = count;
    json::array examples;
    for (const auto& example : report.examples)
        examples.push_back(json::object{
            {"failure", to_string(example.failure)}, {"mono_usec", example.mono_usec}, {"text", example.text}});
    return json::serialize(json::object{{"label", report.label},
                                        {"attempts", report.attempts},
                                        {"succeeded", report.succeeded},
                                        {"failed", report.failed()},
                                        {"failures", std::move(failures)},
                                        {"excused_late", report.excused_late},
                                        {"connections", report.connections},
                                        {"reused", report.reused},
                                        {"closed_while_idle", report.closed_while_idle},
                                        {"p50_usec", report.p50.count()},
                                        {"p90_usec", report.p90.count()},
                                        {"p99_usec", report.p99.count()},
                                        {"max_usec", report.max.count()},
                                        {"longest_gap_usec", report.longest_gap.count()},
                                        {"longest_gap_end_usec", report.longest_gap_end_usec},
                                        {"elapsed_usec", report.elapsed.count()},
                                        {"by_generation", std::move(generations)},
                                        {"examples", std::move(examples)}});
}

LoadReport load_report_from_json(std::string_view text) {
    const json::value value = json::parse(json::string_view(text.data(), text.size()));
    const json::object& object = value.as_object();
    const auto number = [&](std::string_view key) { return object.at(key).to_number<std::uint64_t>(); };
    LoadReport report;
    report.label = json::value_to<std::string>(object.at("label"));
    report.attempts = number("attempts");
    report.succeeded = number("succeeded");
    for (const auto& [failure, name] : failure_names)
        report.failures[static_cast<std::size_t>(failure)] =
            object.at("failures").as_object().at(name).to_number<std::uint64_t>();
    report.excused_late = number("excused_late");
    report.connections = number("connections");
    report.reused = number("reused");
    report.closed_while_idle = number("closed_while_idle");
    report.p50 = duration_at(object, "p50_usec");
    report.p90 = duration_at(object, "p90_usec");
    report.p99 = duration_at(object, "p99_usec");
    report.max = duration_at(object, "max_usec");
    report.longest_gap = duration_at(object, "longest_gap_usec");
    report.longest_gap_end_usec = object.at("longest_gap_end_usec").to_number<std::int64_t>();
    report.elapsed = duration_at(object, "elapsed_usec");
    for (const auto& [generation, count] : object.at("by_generation").as_object())
        report.by_generation[std::stoull(std::string(generation))] = count.to_number<std::uint64_t>();
    return report;
}

std::string to_table(std::span<const LoadReport> reports) {
    const auto count_row = [&](std::string_view title, std::uint64_t LoadReport::*member) {
        return table_row(title, reports, [&](const LoadReport& report) { return std::to_string(report.*member); });
    };
    const auto time_row = [&](std::string_view title, Duration LoadReport::*member) {
        return table_row(title, reports, [&](const LoadReport& report) { return milliseconds(report.*member); });
    };
    std::string table = table_row("", reports, [](const LoadReport& report) { return report.label; });
    table += count_row("requests", &LoadReport::attempts);
    table += count_row("answered", &LoadReport::succeeded);
    table += table_row("failed", reports, [](const LoadReport& report) { return std::to_string(report.failed()); });
    for (const auto& [failure, name] : failure_names) {
        const auto count = [f = failure](const LoadReport& report) { return report.count(f); };
        table += table_row("  " + std::string(name), reports,
                           [&](const LoadReport& report) { return std::to_string(count(report)); });
    }
    table += count_row("excused: late", &LoadReport::excused_late);
    table += count_row("connections", &LoadReport::connections);
    table += time_row("latency p50", &LoadReport::p50);
    table += time_row("latency p99", &LoadReport::p99);
    table += time_row("latency max", &LoadReport::max);
    table += time_row("longest gap between answers", &LoadReport::longest_gap);
    std::map<std::uint64_t, bool> generations;
    for (const LoadReport& report : reports)
        for (const auto& [generation, count] : report.by_generation) generations[generation] = true;
    for (const auto& [generation, present] : generations)
        table += table_row("answered by generation " + std::to_string(generation), reports,
                           [g = generation](const LoadReport& report) {
                               const auto found = report.by_generation.find(g);
                               return std::to_string(found == report.by_generation.end() ? 0 : found->second);
                           });
    return table;
}

}  // namespace holdfast::test
