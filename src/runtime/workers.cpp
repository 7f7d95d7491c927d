#include <string>
#include <utility>

#include <windlass/workers.h>

namespace windlass {
namespace {

template <class Client>
WorkerFactory factory_of(std::vector<std::unique_ptr<Client>> clients, std::chrono::nanoseconds wait_retry,
                         std::chrono::nanoseconds max_wait_retry) {
  // A WorkerFactory can be copied, clients cannot: the copies share them, and the first call takes them.
  auto shared = std::make_shared<std::vector<std::unique_ptr<Client>>>(std::move(clients));
  return [=](runtime::Loop&) {
    std::vector<Worker> workers;
    for (auto& client : *shared) {
      Worker worker;
      worker.endpoint = "client " + std::to_string(workers.size());
      worker.client = std::move(client);
      worker.wait_retry = wait_retry;
      worker.max_wait_retry = max_wait_retry;
      workers.push_back(std::move(worker));
    }
    shared->clear();
    return workers;
  };
}

}  // namespace

WorkerFactory async_clients(std::vector<std::unique_ptr<AsyncClient>> clients, std::chrono::nanoseconds wait_retry,
                            std::chrono::nanoseconds max_wait_retry) {
  return factory_of(std::move(clients), wait_retry, max_wait_retry);
}

WorkerFactory sync_clients(std::vector<std::unique_ptr<SyncClient>> clients, std::chrono::nanoseconds wait_retry,
                           std::chrono::nanoseconds max_wait_retry) {
  return factory_of(std::move(clients), wait_retry, max_wait_retry);
}

}  // namespace windlass
