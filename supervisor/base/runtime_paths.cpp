#include "base/runtime_paths.hpp"

namespace holdfast {

std::vector<std::string> service_parent_directories(const RuntimeEnvironment& environment) {
    std::vector<std::string> parents;
    if (environment.uid == 0) parents.emplace_back("/run/holdfast");
    if (!environment.xdg_runtime_dir.empty()) parents.push_back(environment.xdg_runtime_dir + "/holdfast");
    parents.push_back("/tmp/holdfast-" + std::to_string(environment.uid));
    return parents;
}

std::vector<std::string> candidate_directories(std::string_view name, const RuntimeEnvironment& environment) {
    if (!environment.runtime_dir.empty()) return {environment.runtime_dir};
    std::vector<std::string> candidates;
    const std::string first = environment.runtime_directory.substr(0, environment.runtime_directory.find(':'));
    if (!first.empty()) candidates.push_back(first);
    for (std::string& parent : service_parent_directories(environment)) {
        candidates.push_back(std::move(parent.append("/").append(name)));
    }
    return candidates;
}

}  // namespace holdfast
