// SPDX-License-Identifier: Apache-2.0
// A source for the hosts line of nsswitch.conf: knows "only-nss.test" as 127.0.0.1, never answers
// for "hangs.test", and knows nothing else. Built as libnss_lab.so.2, the name that "lab" is looked
// up by.
#include <arpa/inet.h>
#include <netdb.h>
#include <nss.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

// NOLINTBEGIN(readability-identifier-naming): glibc looks the function up by this name
extern "C" nss_status _nss_lab_gethostbyname2_r(const char* name, int family, hostent* result,
                                                char* buffer, size_t size, int* error,
                                                int* h_error);

extern "C" nss_status _nss_lab_gethostbyname2_r(const char* name, int family, hostent* result,
                                                char* buffer, size_t size, int* error,
                                                int* h_error) {
  if (std::strcmp(name, "hangs.test") == 0) ::sleep(60);
  *error = ENOENT;
  *h_error = HOST_NOT_FOUND;
  if (std::strcmp(name, "only-nss.test") != 0 || family != AF_INET || size < 64) {
    return NSS_STATUS_NOTFOUND;
  }
  auto** lists = reinterpret_cast<char**>(buffer);
  char* address = buffer + 3 * sizeof(char*);
  inet_pton(AF_INET, "127.0.0.1", address);
  lists[0] = address;
  lists[1] = nullptr;
  result->h_name = const_cast<char*>(name);
  result->h_aliases = &lists[1];
  result->h_addrtype = AF_INET;
  result->h_length = 4;
  result->h_addr_list = lists;
  return NSS_STATUS_SUCCESS;
}
// NOLINTEND(readability-identifier-naming)
