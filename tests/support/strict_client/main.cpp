// A load generator that never retries and classifies every failure. See --help.

#include <sys/signalfd.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>
#include <vector>

#include "strict_client.hpp"

namespace {

namespace options = boost::program_options;
using holdfast::test::LoadReport;

constexpr int exit_failures = 1, exit_usage = 2;

options::options_description describe_options() {
    options::options_description description("strict-client [OPTIONS] ADDRESS\nstrict-client --table FILE...\n");
    description.add_options()("help", "show this text")  //
        ("address", options::value<std::string>(), "127.0.0.1:8080, [::1]:8080, unix:/path, unix:@abstract")(
            "label", options::value<std::string>()->default_value("load"), "name of this load in reports")(
            "clients", options::value<int>()->default_value(8), "maximum number of requests in flight")(
            "keep-alive", "use a connection for many requests; without it, each request opens a new one")(
            "path", options::value<std::string>()->default_value("/"), "\"{0..500}\" becomes a random number")(
            "post", options::value<std::string>(), "POST with this body")(
            "pause-low", options::value<int>()->default_value(0), "minimum pause of a client between requests, ms")(
            "pause-high", options::value<int>()->default_value(0), "maximum pause, ms")(
            "rate", options::value<double>()->default_value(0), "maximum requests per second; 0: unlimited")(
            "latency", options::value<int>()->default_value(0), "emulated one-way latency, ms")(
            "promised-idle", options::value<int>(), "ms; requests lost after a longer pause are counted separately")(
            "timeout", options::value<int>()->default_value(30000), "timeout of a request, ms")(
            "for", options::value<int>(), "duration, ms; without it, until SIGINT or SIGTERM")(
            "requests", options::value<std::uint64_t>(), "end after this many requests")(
            "announce", "write a line to standard output when the first request has been sent")(
            "json", options::value<std::string>(), "write the report to this file")(
            "table", options::value<std::vector<std::string>>()->multitoken(), "show reports side by side");
    return description;
}

holdfast::test::LoadOptions to_load(const options::variables_map& given) {
    using std::chrono::milliseconds;
    holdfast::test::LoadOptions load;
    load.label = given["label"].as<std::string>();
    load.server = holdfast::test::parse_server_address(given["address"].as<std::string>()).value();
    if (given.contains("keep-alive")) load.connections = holdfast::test::Connections::keep_alive;
    load.clients = given["clients"].as<int>();
    load.path = given["path"].as<std::string>();
    if (given.contains("post")) load.body = given["post"].as<std::string>();
    load.pause_low = milliseconds(given["pause-low"].as<int>());
    load.pause_high = milliseconds(given["pause-high"].as<int>());
    load.rate = given["rate"].as<double>();
    load.latency = milliseconds(given["latency"].as<int>());
    if (given.contains("promised-idle")) load.promised_idle = milliseconds(given["promised-idle"].as<int>());
    load.timeout = milliseconds(given["timeout"].as<int>());
    if (given.contains("for")) load.duration = milliseconds(given["for"].as<int>());
    if (given.contains("requests")) load.requests = given["requests"].as<std::uint64_t>();
    if (load.clients < 1 || load.pause_low > load.pause_high)
        throw std::runtime_error(
            "cannot run the load: --clients must be at least 1, and --pause-low at most --pause-high");
    return load;
}

int show_table(const std::vector<std::string>& files) {
    std::vector<LoadReport> reports;
    std::uint64_t failed = 0;
    for (const std::string& name : files) {
        std::ifstream file(name);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        reports.push_back(holdfast::test::load_report_from_json(text));
        failed += reports.back().failed();
    }
    std::cout << to_table(reports);
    return failed == 0 ? 0 : exit_failures;
}

void announce_first_request(holdfast::test::LoadProgress& progress) {
    if (progress.wait_for_sent(1, std::chrono::seconds(30))) std::cout << "sent" << std::endl;
}

int load_and_report(const options::variables_map& given) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    const int stop_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    holdfast::test::LoadProgress progress;
    std::thread announcer;
    if (given.contains("announce")) announcer = std::thread([&] { announce_first_request(progress); });
    const LoadReport report = run_load(to_load(given), stop_fd, progress);
    if (announcer.joinable()) announcer.join();
    if (given.contains("json")) {
        std::ofstream(given["json"].as<std::string>()) << to_json(report) << '\n';
    } else {
        std::cout << to_table(std::vector{report});
    }
    return report.failed() == 0 ? 0 : exit_failures;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const auto description = describe_options();
        options::variables_map given;
        options::positional_options_description positional;
        positional.add("address", 1);
        store(options::command_line_parser(count, arguments).options(description).positional(positional).run(), given);
        if (given.contains("help")) {
            std::cout << description;
            return 0;
        }
        if (given.contains("table")) return show_table(given["table"].as<std::vector<std::string>>());
        if (!given.contains("address")) throw std::runtime_error("cannot run the load: ADDRESS is missing");
        return load_and_report(given);
    } catch (const std::exception& problem) {
        std::cerr << "strict-client: " << problem.what() << '\n';
        return exit_usage;
    }
}
