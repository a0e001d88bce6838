#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/server/probe_server.hpp"
#include "api_fixture.hpp"

namespace holdfast::api {

class ProbeServerTest : public ServerTest {
  protected:
    void start_probes(ProbeLimits limits = {}) {
        probes_ = std::make_unique<ProbeServer>(
            io_.get_executor(), std::vector{directory_.listen(4096)}, [this] { return readiness_; }, limits);
    }
    Readiness readiness_{true, {}};
    std::unique_ptr<ProbeServer> probes_;
};

inline std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n"; }

}  // namespace holdfast::api
