/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "netlink.h"

static int take_link(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *info = NLMSG_DATA(message);
	const struct rtattr *mac = netlink_attribute(message, sizeof(*info), IFLA_ADDRESS);
	const struct rtattr *mtu = netlink_attribute(message, sizeof(*info), IFLA_MTU);
	struct link *link = context;

	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	*link = (struct link){.index = info->ifi_index, .up = info->ifi_flags & IFF_UP};
	if (mtu && RTA_PAYLOAD(mtu) >= sizeof(link->mtu))
		memcpy(&link->mtu, RTA_DATA(mtu), sizeof(link->mtu));
	if (mac && RTA_PAYLOAD(mac) == 6) {
		const unsigned char *byte = RTA_DATA(mac);

		snprintf(link->mac, sizeof(link->mac), "%02x:%02x:%02x:%02x:%02x:%02x", byte[0], byte[1],
			 byte[2], byte[3], byte[4], byte[5]);
	}
	return 1;
}

int link_find(int socket, const char *name, struct link *link)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
	struct netlink_request request;
	int found;

	netlink_begin(&request, RTM_GETLINK, 0, &info, sizeof(info));
	netlink_add_string(&request, IFLA_IFNAME, name);
	found = netlink_ask(socket, &request, take_link, link);
	return found == 1 ? 0 : found ? found : -ENODEV;
}

static int set_flags(int socket, int index, unsigned flags)
{
	struct ifinfomsg info = {
		.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = flags, .ifi_change = IFF_UP};
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWLINK, 0, &info, sizeof(info));
	return netlink_ask(socket, &request, NULL, NULL);
}

int link_up(int socket, int index)
{
	return set_flags(socket, index, IFF_UP);
}

int link_down(int socket, int index)
{
	return set_flags(socket, index, 0);
}

int link_add_veth(int socket, const char *name, const char *peer, int peer_namespace, unsigned mtu)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
	struct rtattr *link_info, *data, *other;
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	netlink_add_string(&request, IFLA_IFNAME, name);
	if (mtu)
		netlink_add_u32(&request, IFLA_MTU, mtu);
	link_info = netlink_nest(&request, IFLA_LINKINFO, NULL, 0);
	netlink_add_string(&request, IFLA_INFO_KIND, "veth");
	data = netlink_nest(&request, IFLA_INFO_DATA, NULL, 0);
	other = netlink_nest(&request, VETH_INFO_PEER, &info, sizeof(info));
	netlink_add_string(&request, IFLA_IFNAME, peer);
	if (mtu)
		netlink_add_u32(&request, IFLA_MTU, mtu);
	netlink_add_u32(&request, IFLA_NET_NS_FD, peer_namespace);
	netlink_end_nest(&request, other);
	netlink_end_nest(&request, data);
	netlink_end_nest(&request, link_info);
	return netlink_ask(socket, &request, NULL, NULL);
}

int link_delete(int socket, const char *name)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
	struct netlink_request request;
	struct link link;
	int error = link_find(socket, name, &link);

	if (error)
		return error;
	info.ifi_index = link.index;
	netlink_begin(&request, RTM_DELLINK, 0, &info, sizeof(info));
	return netlink_ask(socket, &request, NULL, NULL);
}

static int change_address(int socket, int type, int flags, int index, const struct prefix *prefix)
{
	struct ifaddrmsg info = {.ifa_family = prefix->address.family, .ifa_prefixlen = prefix->length,
		.ifa_flags = prefix->address.family == AF_INET6 ? IFA_F_NODAD : 0, .ifa_index = index};
	struct netlink_request request;

	netlink_begin(&request, type, flags, &info, sizeof(info));
	netlink_add(&request, IFA_LOCAL, prefix->address.bytes, address_size(&prefix->address));
	netlink_add(&request, IFA_ADDRESS, prefix->address.bytes, address_size(&prefix->address));
	return netlink_ask(socket, &request, NULL, NULL);
}

int link_add_address(int socket, int index, const struct prefix *prefix)
{
	return change_address(socket, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, prefix);
}

int link_remove_address(int socket, int index, const struct prefix *prefix)
{
	return change_address(socket, RTM_DELADDR, 0, index, prefix);
}

/* What is looked for in a list. */
struct wanted {
	int index;
	struct prefix prefix;
};

/* Whether the attribute is these bytes. */
static bool is_address(const struct rtattr *attribute, const struct address *address)
{
	return attribute && RTA_PAYLOAD(attribute) == address_size(address) &&
	       !memcmp(RTA_DATA(attribute), address->bytes, address_size(address));
}

static int compare_address(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *info = NLMSG_DATA(message);
	const struct wanted *wanted = context;
	const struct address *address = &wanted->prefix.address;

	return message->nlmsg_type == RTM_NEWADDR && (int)info->ifa_index == wanted->index &&
	       info->ifa_family == address->family &&
	       (is_address(netlink_attribute(message, sizeof(*info), IFA_LOCAL), address) ||
		is_address(netlink_attribute(message, sizeof(*info), IFA_ADDRESS), address));
}

int link_has_address(int socket, int index, const struct address *address)
{
	struct ifaddrmsg info = {.ifa_family = address->family};
	struct wanted wanted = {.index = index, .prefix.address = *address};
	struct netlink_request request;

	netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));
	return netlink_ask(socket, &request, compare_address, &wanted);
}

static struct rtmsg route_message(const struct prefix *destination, bool on_link)
{
	return (struct rtmsg){.rtm_family = destination->address.family, .rtm_dst_len = destination->length,
		.rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST,
		.rtm_scope = on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE};
}

int link_add_route(int socket, int index, const struct prefix *destination, const struct address *gateway,
		   unsigned priority)
{
	struct rtmsg info = route_message(destination, !gateway->family);
	struct netlink_request request;

	netlink_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	netlink_add(&request, RTA_DST, destination->address.bytes, address_size(&destination->address));
	netlink_add_u32(&request, RTA_OIF, index);
	if (gateway->family)
		netlink_add(&request, RTA_GATEWAY, gateway->bytes, address_size(gateway));
	if (priority)
		netlink_add_u32(&request, RTA_PRIORITY, priority);
	return netlink_ask(socket, &request, NULL, NULL);
}

int link_remove_route(int socket, int index, const struct prefix *destination)
{
	struct rtmsg info = route_message(destination, false);
	struct netlink_request request;

	info.rtm_protocol = RTPROT_UNSPEC; /* whose route it is does not matter */
	info.rtm_scope = RT_SCOPE_NOWHERE;
	netlink_begin(&request, RTM_DELROUTE, 0, &info, sizeof(info));
	netlink_add(&request, RTA_DST, destination->address.bytes, address_size(&destination->address));
	netlink_add_u32(&request, RTA_OIF, index);
	return netlink_ask(socket, &request, NULL, NULL);
}

static int compare_route(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *info = NLMSG_DATA(message);
	const struct wanted *wanted = context;
	const struct address *address = &wanted->prefix.address;
	const struct rtattr *destination = netlink_attribute(message, sizeof(*info), RTA_DST);
	const struct rtattr *oif = netlink_attribute(message, sizeof(*info), RTA_OIF);

	return message->nlmsg_type == RTM_NEWROUTE && info->rtm_family == address->family &&
	       info->rtm_dst_len == wanted->prefix.length &&
	       (wanted->prefix.length ? is_address(destination, address) : 1) && oif &&
	       RTA_PAYLOAD(oif) >= sizeof(int) && *(int *)RTA_DATA(oif) == wanted->index;
}

int link_has_route(int socket, int index, const struct prefix *destination)
{
	struct rtmsg info = {.rtm_family = destination->address.family};
	struct wanted wanted = {index, *destination};
	struct netlink_request request;

	netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP, &info, sizeof(info));
	return netlink_ask(socket, &request, compare_route, &wanted);
}
