#pragma once

// Declarations of the surrounding program that the examples of the documentation use.

#include <functional>
#include <holdfast/worker.hpp>
#include <string_view>

struct MyServer {
    explicit MyServer(int listener_fd);
    void serve(const std::function<std::string_view()>& handler);
    void stop_accepting();
    void start_accepting();
};

struct Closed {
    void close();
};
inline Closed pool, file;

struct Item {};

struct Queue {
    Item take();
    void put_back(const Item& item);
};

struct Client {
    bool send_next();
    void say_goodbye();
};

std::string_view report();
void consume(const std::stop_token& stop);
void flush(const std::stop_token& stop);
void prepare(const Item& item);
void commit(const Item& item);
