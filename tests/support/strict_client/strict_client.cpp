#include "strict_client.hpp"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

#include "clock.hpp"
#include "load_connection.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t stop_tag = ~std::uint64_t{0};
constexpr std::size_t max_examples = 20;
constexpr Duration pause_after_failure = 10ms;  // avoids a busy loop on a dead server
constexpr Duration pause_for_queue = 1ms;

// A path such as "/?ms={0..500}", with a new random number for each request.
class PathPattern {
  public:
    explicit PathPattern(const std::string& text) : before_(text) {
        const std::size_t open = text.find('{'), dots = text.find("..", open), close = text.find('}', open);
        if (open == std::string::npos || dots == std::string::npos || close == std::string::npos) return;
        before_ = text.substr(0, open);
        after_ = text.substr(close + 1);
        low_ = std::stoi(text.substr(open + 1, dots - open - 1));
        high_ = std::stoi(text.substr(dots + 2, close - dots - 2));
        is_random_ = true;
    }

    std::string next(std::mt19937_64& random) const {
        if (!is_random_) return before_;
        return before_ + std::to_string(std::uniform_int_distribution(low_, high_)(random)) + after_;
    }

  private:
    std::string before_, after_;
    int low_ = 0, high_ = 0;
    bool is_random_ = false;
};

struct Client {
    LoadConnection connection;
    Instant started{};
    Instant due{};  // start of the next request, or timeout of the current one
    bool is_done = false;
};

class Load {
  public:
    Load(const LoadOptions& options, int stop_fd, LoadProgress& progress);
    ~Load() { ::close(epoll_fd_); }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    LoadReport run();

  private:
    void wait_for_events();
    void check_timers();
    void begin(std::size_t index);
    void watch(std::size_t index);
    void record_outcome(Client& client);
    void schedule(Client& client, bool failed);
    Instant deadline_of(const Client& client) const;
    bool is_excused(const LoadConnection& connection) const;
    void count_failure(const LoadConnection& connection);
    void end_gap(Instant now);
    void stop_if_due();
    std::string next_request();

    const LoadOptions& options_;
    LoadProgress& progress_;
    PathPattern path_;
    std::mt19937_64 random_;
    int epoll_fd_;
    std::vector<Client> clients_;
    std::vector<std::uint32_t> latencies_usec_;
    LoadReport report_;
    Instant began_{}, now_{}, last_success_{}, next_token_{};
    bool stopping_ = false;
};

Load::Load(const LoadOptions& options, int stop_fd, LoadProgress& progress)
    : options_(options),
      progress_(progress),
      path_(options.path),
      random_(options.seed),
      epoll_fd_(::epoll_create1(EPOLL_CLOEXEC)),
      clients_(static_cast<std::size_t>(options.clients)) {
    if (epoll_fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot create an epoll instance");
    report_.label = options.label;
    if (stop_fd < 0) return;
    epoll_event event{.events = EPOLLIN | EPOLLONESHOT, .data = {.u64 = stop_tag}};
    if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, stop_fd, &event) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot add the stop descriptor to epoll");
}

LoadReport Load::run() {
    began_ = now_ = last_success_ = next_token_ = read_clock();
    for (Client& client : clients_) schedule(client, false);
    while (!std::ranges::all_of(clients_, &Client::is_done)) {
        stop_if_due();
        check_timers();
        wait_for_events();
    }
    report_.elapsed = now_ - began_;
    fill_percentiles(report_, latencies_usec_);
    return report_;
}

void Load::stop_if_due() {
    const bool enough = (options_.requests && report_.attempts >= *options_.requests) ||
                        (options_.duration && now_ >= began_ + *options_.duration);
    if (stopping_ || !enough) return;
    stopping_ = true;
    end_gap(now_);
}

void Load::wait_for_events() {
    Instant next = Instant::max();
    for (const Client& client : clients_)
        if (!client.is_done) next = std::min(next, client.due);
    if (options_.duration && !stopping_) next = std::min(next, began_ + *options_.duration);
    if (next == Instant::max()) return;
    const Duration left = std::max(Duration{0}, next - read_clock());
    const timespec timeout{.tv_sec = left / 1s, .tv_nsec = (left % 1s) / 1ns};
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_pwait2(epoll_fd_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    now_ = read_clock();
    for (int i = 0; i < count; ++i) {
        const std::uint64_t tag = events[static_cast<std::size_t>(i)].data.u64;
        if (tag == stop_tag) {
            if (!stopping_) end_gap(now_);
            stopping_ = true;
            continue;
        }
        clients_[tag].connection.on_event();
        watch(tag);
    }
}

void Load::check_timers() {
    using Phase = LoadConnection::Phase;
    for (std::size_t index = 0; index < clients_.size(); ++index) {
        Client& client = clients_[index];
        if (client.is_done) continue;
        const Phase phase = client.connection.phase();
        if (phase == Phase::idle && stopping_) {
            client.connection.close();
            client.is_done = true;
        } else if (client.due > now_) {
            continue;
        } else if (phase == Phase::idle) {
            begin(index);
        } else if (phase == Phase::in_transit) {
            client.connection.deliver();
            watch(index);
        } else if (phase == Phase::queue_full && now_ < client.started + options_.connect_timeout) {
            client.connection.retry_connect();
            watch(index);
        } else {
            client.connection.time_out();
            watch(index);
        }
        stop_if_due();
    }
}

void Load::begin(std::size_t index) {
    Client& client = clients_[index];
    client.started = now_ = read_clock();
    ++report_.attempts;
    using Network = LoadConnection::Network;
    client.connection.begin(options_.server, epoll_fd_, index, next_request(),
                            options_.latency > 0ms ? Network::delayed : Network::immediate);
    if (client.connection.opened()) {
        ++report_.connections;
    } else {
        ++report_.reused;
    }
    if (client.connection.found_closed()) ++report_.closed_while_idle;
    watch(index);
}

// Called after every step of a connection: counts a finished request, or sets the deadline of the next step.
void Load::watch(std::size_t index) {
    Client& client = clients_[index];
    if (client.connection.takes_sent()) progress_.add_sent();
    if (client.connection.is_over()) {
        record_outcome(client);
    } else if (client.connection.phase() != LoadConnection::Phase::idle) {
        client.due = deadline_of(client);
    }
}

Instant Load::deadline_of(const Client& client) const {
    switch (client.connection.phase()) {
        case LoadConnection::Phase::queue_full:
            return now_ + pause_for_queue;
        case LoadConnection::Phase::connecting:
            return client.started + options_.connect_timeout;
        case LoadConnection::Phase::in_transit:
            return client.started + 2 * options_.latency;
        default:
            return client.started + options_.timeout;
    }
}

void Load::record_outcome(Client& client) {
    const bool failed = client.connection.phase() == LoadConnection::Phase::failed;
    now_ = read_clock();
    if (failed) {
        count_failure(client.connection);
    } else {
        ++report_.succeeded;
        latencies_usec_.push_back(static_cast<std::uint32_t>((now_ - client.started).count()));
        const std::string& worker = client.connection.worker();
        std::uint64_t generation = 0;
        if (std::from_chars(worker.data(), worker.data() + worker.size(), generation).ec == std::errc{})
            ++report_.by_generation[generation];
        if (!stopping_) end_gap(now_);
        progress_.add_success();
    }
    client.connection.finish();
    if (options_.connections == Connections::fresh) client.connection.close();
    schedule(client, failed);
}

void Load::count_failure(const LoadConnection& connection) {
    if (is_excused(connection)) {
        ++report_.excused_late;
        return;
    }
    const Failure failure = connection.failure();
    ++report_.failures[static_cast<std::size_t>(failure)];
    if (report_.examples.size() < max_examples)
        report_.examples.push_back({failure, to_usec(now_), connection.detail()});
    progress_.add_failure();
}

bool Load::is_excused(const LoadConnection& connection) const {
    const Failure failure = connection.failure();
    return options_.promised_idle && connection.pause() >= options_.promised_idle &&
           (failure == Failure::reset_on_reused || failure == Failure::closed_on_reused);
}

void Load::schedule(Client& client, bool failed) {
    using Distribution = std::uniform_int_distribution<Duration::rep>;
    Duration pause{Distribution(options_.pause_low.count(), options_.pause_high.count())(random_)};
    if (failed) pause = std::max(pause, pause_after_failure);
    client.due = now_ + pause;
    if (options_.rate <= 0) return;
    client.due = std::max(client.due, next_token_);
    next_token_ = std::max(next_token_, now_) + Duration{static_cast<Duration::rep>(1e6 / options_.rate)};
}

void Load::end_gap(Instant now) {
    const Duration gap = now - std::exchange(last_success_, now);
    if (gap <= report_.longest_gap) return;
    report_.longest_gap = gap;
    report_.longest_gap_end_usec = to_usec(now);
}

std::string Load::next_request() {
    std::string request = (options_.body ? "POST " : "GET ") + path_.next(random_) + " HTTP/1.1\r\nHost: test\r\n";
    if (options_.connections == Connections::fresh) request += "Connection: close\r\n";
    if (!options_.body) return request + "\r\n";
    return request + "Content-Type: text/plain\r\nContent-Length: " + std::to_string(options_.body->size()) +
           "\r\n\r\n" + *options_.body;
}

}  // namespace

void LoadProgress::add(std::atomic<std::uint64_t>& counter) {
    ++counter;
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
}

bool LoadProgress::wait_for_sent(std::uint64_t count, Duration deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return sent_ >= count; });
}

bool LoadProgress::wait_for_successes(std::uint64_t count, Duration deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return succeeded_ >= count; });
}

LoadReport run_load(const LoadOptions& options, int stop_fd, LoadProgress& progress) {
    return Load(options, stop_fd, progress).run();
}

}  // namespace holdfast::test
