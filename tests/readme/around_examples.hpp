#pragma once

// What the programs in README.md take for granted: the program around them.

#include <condition_variable>
#include <holdfast/worker.hpp>
#include <mutex>
#include <stop_token>
#include <string_view>

#include "minimal/my_server.hpp"

struct Pool {
    void close() {}
};
inline Pool pool;

inline std::string_view report() { return "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n"; }

inline void consume(const std::stop_token& stop) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, stop, [] { return false; });
}
