// Measures the cost of beginning and ending a request against incrementing and decrementing a bare atomic counter, on
// one thread and on two threads that share it, in rounds of one run. Prints the medians in nanoseconds for one pair.
// Fails if a pair allocates memory.

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <holdfast/worker.hpp>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

// Allocations of this thread, counted by the replaced operator new below.
constinit thread_local std::uint64_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) {
        return memory;
    }
    throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

constexpr int rounds = 21;
constexpr int pairs_per_round = 1'000'000;

struct alignas(64) Counter {
    std::atomic<std::uint64_t> count{0};
};

// Nanoseconds for a pair, averaged over the threads, which start at the same time.
template <typename Pair>
double measure(int threads, Pair pair) {
    using Clock = std::chrono::steady_clock;
    std::barrier all(threads);
    std::atomic<std::uint64_t> allocated = 0;
    std::vector<Clock::duration> took(static_cast<std::size_t>(threads));
    std::vector<std::thread> running;
    for (Clock::duration& time : took) {
        running.emplace_back([&] {
            pair();  // excludes what a thread does only once
            all.arrive_and_wait();
            const std::uint64_t allocations_before = allocations;
            const Clock::time_point began = Clock::now();
            for (int count = 0; count < pairs_per_round; ++count) {
                pair();
            }
            time = Clock::now() - began;
            allocated += allocations - allocations_before;
        });
    }
    std::chrono::duration<double, std::nano> sum{0};
    for (std::size_t thread = 0; thread < running.size(); ++thread) {
        running[thread].join();
        sum += took[thread];
    }
    if (allocated != 0) {
        throw std::runtime_error("a pair allocates");
    }
    return sum.count() / threads / pairs_per_round;
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

void compare(holdfast::Worker& worker, int threads) {
    Counter counter;
    std::vector<double> bare;
    std::vector<double> requests;
    for (int round = 0; round < rounds; ++round) {
        bare.push_back(measure(threads, [&] {
            counter.count.fetch_add(1, std::memory_order_acq_rel);
            counter.count.fetch_sub(1, std::memory_order_acq_rel);
        }));
        requests.push_back(
            measure(threads, [&] { const holdfast::Request request = worker.begin_request("GET /report"); }));
    }
    std::printf("counter_%d %.2f\nrequest_%d %.2f\n", threads, median(std::move(bare)), threads,
                median(std::move(requests)));
}

}  // namespace

int main() {
    try {
        holdfast::Worker worker;
        worker.ready();
        compare(worker, 1);
        compare(worker, 2);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "begin_request: %s\n", error.what());
        return 1;
    }
}
