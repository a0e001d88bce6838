// A worker of an external project: stops at once; the exit status says whether everything was released.
#include <cstdio>
#include <holdfast/worker.hpp>

int main() {
    holdfast::Worker worker;
    worker.close_last("pool", [] { std::puts("pool closed"); });
    worker.ready();
    { const auto request = worker.begin_request("GET /"); }
    worker.stop();
    return worker.wait();
}
