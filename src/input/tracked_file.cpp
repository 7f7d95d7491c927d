#include "input/tracked_file.h"

#include <utility>

namespace windlass::input {

TrackedFile& FileTable::add(FileKey key, std::string name) {
  TrackedFile& file = add_lost(key, std::move(name));
  keys_[key] = file.number;
  names_[file.name] = file.number;
  return file;
}

TrackedFile& FileTable::add_lost(FileKey key, std::string name) {
  const std::uint32_t number = next_number_++;
  TrackedFile& file = *files_.emplace(number, std::make_unique<TrackedFile>()).first->second;
  file.number = number;
  file.entry.key = key;
  file.entry.path = name;
  file.name = std::move(name);
  return file;
}

void FileTable::remove(TrackedFile& file) {
  lose(file);
  forget_fingerprint(file);
  files_.erase(file.number);
}

TrackedFile* FileTable::by_number(std::uint32_t number) {
  const auto at = files_.find(number);
  return at == files_.end() ? nullptr : at->second.get();
}

TrackedFile* FileTable::by_key(FileKey key) {
  const auto at = keys_.find(key);
  return at == keys_.end() ? nullptr : by_number(at->second);
}

TrackedFile* FileTable::by_name(const std::string& name) {
  const auto at = names_.find(name);
  return at == names_.end() ? nullptr : by_number(at->second);
}

std::vector<TrackedFile*> FileTable::by_fingerprint(const Fingerprint& fingerprint) {
  std::vector<TrackedFile*> result;
  if (!fingerprint.whole()) return result;
  const auto [first, last] = fingerprints_.equal_range(fingerprint.hash);
  for (auto at = first; at != last; ++at) result.push_back(by_number(at->second));
  return result;
}

void FileTable::forget_name(const TrackedFile& file) {
  const auto at = names_.find(file.name);
  if (at != names_.end() && at->second == file.number) names_.erase(at);
}

void FileTable::forget_fingerprint(const TrackedFile& file) {
  const auto [first, last] = fingerprints_.equal_range(file.entry.fingerprint.hash);
  for (auto at = first; at != last; ++at) {
    if (at->second != file.number) continue;
    fingerprints_.erase(at);
    return;
  }
}

void FileTable::rename(TrackedFile& file, const std::string& name) {
  forget_name(file);
  file.name = name;
  names_[name] = file.number;
}

void FileTable::lose(TrackedFile& file) {
  forget_name(file);
  const auto at = keys_.find(file.entry.key);
  if (at != keys_.end() && at->second == file.number) keys_.erase(at);
}

void FileTable::move(TrackedFile& file, FileKey key, const std::string& name) {
  lose(file);
  file.entry.key = key;
  keys_[key] = file.number;
  rename(file, name);
}

void FileTable::set_fingerprint(TrackedFile& file, const Fingerprint& fingerprint) {
  forget_fingerprint(file);
  file.entry.fingerprint = fingerprint;
  if (fingerprint.whole()) fingerprints_.emplace(fingerprint.hash, file.number);
}

}  // namespace windlass::input
