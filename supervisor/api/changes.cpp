#include "api/changes.hpp"

#include "api/decode.hpp"

namespace holdfast::api {

std::string target_of(const Wish& wish) {
    switch (wish.what) {
        case Wish::What::restart:
            return "/v1/restart";
        case Wish::What::stop:
            return "/v1/stop";
        case Wish::What::scale:
            return "/v1/scale";
        case Wish::What::rollback:
            return "/v1/rollback";
        case Wish::What::undo:
            return "/v1/undo";
        case Wish::What::pause:
            return "/v1/pause";
        case Wish::What::resume:
            return "/v1/resume";
        case Wish::What::reload:
            return "/v1/reload";
    }
    return {};
}

std::string body_of(const Wish& wish) {
    return wish.what == Wish::What::scale ? R"({"workers": )" + std::to_string(wish.workers) + "}" : std::string{};
}

Result<Answer> read_answer(std::string body) {
    auto answer = decode_answer(body);
    if (!answer) return answer;
    if (answer->result.empty()) return error("the supervisor does not do this: " + decode_error(body));
    answer->json = without_newline(std::move(body));
    return answer;
}

std::string without_newline(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace holdfast::api
