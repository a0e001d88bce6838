#include "base/runtime_paths.hpp"

namespace holdfast {

std::vector<std::string> service_collections(const RuntimeSurroundings& surroundings) {
    std::vector<std::string> collections;
    if (surroundings.uid == 0) collections.emplace_back("/run/holdfast");
    if (!surroundings.xdg_runtime_dir.empty()) collections.push_back(surroundings.xdg_runtime_dir + "/holdfast");
    collections.push_back("/tmp/holdfast-" + std::to_string(surroundings.uid));
    return collections;
}

std::vector<std::string> candidate_directories(std::string_view name, const RuntimeSurroundings& surroundings) {
    if (!surroundings.runtime_dir.empty()) return {surroundings.runtime_dir};
    std::vector<std::string> candidates;
    const std::string first = surroundings.runtime_directory.substr(0, surroundings.runtime_directory.find(':'));
    if (!first.empty()) candidates.push_back(first);
    for (std::string& collection : service_collections(surroundings)) {
        candidates.push_back(std::move(collection.append("/").append(name)));
    }
    return candidates;
}

}  // namespace holdfast
