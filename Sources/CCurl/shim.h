#pragma once
#include <curl/curl.h>

// libcurl sets options through variadic functions, which Swift cannot call. One typed setter for each kind of value.

static inline CURLcode tijera_curl_set_number(CURL *_Nonnull handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tijera_curl_set_offset(CURL *_Nonnull handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tijera_curl_set_text(CURL *_Nonnull handle, CURLoption option, const char *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tijera_curl_set_pointer(CURL *_Nonnull handle, CURLoption option, void *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tijera_curl_set_headers(CURL *_Nonnull handle, struct curl_slist *_Nullable headers) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
}

static inline CURLcode tijera_curl_set_form(CURL *_Nonnull handle, curl_mime *_Nullable form) {
    return curl_easy_setopt(handle, CURLOPT_MIMEPOST, form);
}

typedef size_t (*tijera_curl_sink)(char *_Nonnull bytes, size_t size, size_t count, void *_Nullable context);
// As CURLOPT_READFUNCTION and CURLOPT_SEEKFUNCTION.
typedef int (*tijera_curl_seek)(void *_Nullable context, curl_off_t offset, int origin);

static inline CURLcode tijera_curl_set_source(
    CURL *_Nonnull handle, tijera_curl_sink _Nonnull read, tijera_curl_seek _Nonnull seek, void *_Nonnull context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, read);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_READDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, seek);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_SEEKDATA, context);
    return code;
}

typedef int (*tijera_curl_meter)(
    void *_Nullable context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up);

static inline CURLcode tijera_curl_set_sinks(
    CURL *_Nonnull handle, tijera_curl_sink _Nonnull body, tijera_curl_sink _Nonnull header, void *_Nonnull context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, body);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, header);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
    return code;
}

static inline CURLcode tijera_curl_set_meter(
    CURL *_Nonnull handle, tijera_curl_meter _Nonnull meter, void *_Nonnull context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, meter);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_XFERINFODATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    return code;
}

static inline CURLcode tijera_curl_status(CURL *_Nonnull handle, long *_Nonnull status) {
    return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, status);
}

// What the certificate's verification came to (X509_V_...); 0: it is good, or there was none.
static inline CURLcode tijera_curl_verified(CURL *_Nonnull handle, long *_Nonnull result) {
    return curl_easy_getinfo(handle, CURLINFO_SSL_VERIFYRESULT, result);
}

typedef curl_socket_t (*tijera_curl_opener)(
    void *_Nullable context, curlsocktype purpose, struct curl_sockaddr *_Nonnull address);

static inline CURLcode tijera_curl_set_opener(
    CURL *_Nonnull handle, tijera_curl_opener _Nonnull opener, void *_Nonnull context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, opener);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, context);
    return code;
}

static inline const struct sockaddr *_Nonnull tijera_curl_address(const struct curl_sockaddr *_Nonnull address) {
    return &address->addr;
}

static inline curl_socket_t tijera_curl_socket_bad(void) { return CURL_SOCKET_BAD; }

static inline CURLcode tijera_curl_redirect(CURL *_Nonnull handle, char *_Nullable *_Nonnull url) {
    return curl_easy_getinfo(handle, CURLINFO_REDIRECT_URL, url);
}

static inline CURLcode tijera_curl_seconds(CURL *_Nonnull handle, double *_Nonnull seconds) {
    return curl_easy_getinfo(handle, CURLINFO_TOTAL_TIME, seconds);
}
