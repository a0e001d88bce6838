#include "api/client/change_http.hpp"

#include "api/client/decode.hpp"

namespace holdfast::api {

std::string target_of(const ChangeRequest& request) {
    switch (request.kind) {
        case ChangeRequest::Kind::restart:
            return "/v1/restart";
        case ChangeRequest::Kind::stop:
            return "/v1/stop";
        case ChangeRequest::Kind::scale:
            return "/v1/scale";
        case ChangeRequest::Kind::rollback:
            return "/v1/rollback";
        case ChangeRequest::Kind::undo:
            return "/v1/undo";
        case ChangeRequest::Kind::pause:
            return "/v1/pause";
        case ChangeRequest::Kind::resume:
            return "/v1/resume";
        case ChangeRequest::Kind::reload:
            return "/v1/reload";
    }
    return {};
}

std::string body_of(const ChangeRequest& request) {
    return request.kind == ChangeRequest::Kind::scale ? R"({"workers": )" + std::to_string(request.workers) + "}"
                                                      : std::string{};
}

Result<ChangeOutcome> parse_outcome(std::string body) {
    auto answer = decode_outcome(body);
    if (!answer) return answer;
    if (answer->result.empty()) return error("the supervisor rejected the request: " + decode_error(body));
    answer->json = without_newline(std::move(body));
    return answer;
}

std::string without_newline(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace holdfast::api
