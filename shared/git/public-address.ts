import {BlockList, isIP} from 'node:net'

// The special-purpose registries of IANA (RFC 6890 and its successors): what no public git host can have.
const special: readonly [network: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Azure's metadata and DNS, the one such service at a public address.
  ['168.63.129.16', 32],
  // Of IPv6, all but 2000::/3.
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
]

const notPublic = listOf(special)

/** Reads `address/prefix`, or an address alone; undefined where it is neither. */
export function parseNetwork(text: string): [network: string, prefix: number] | undefined {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return undefined
  const most = family === 4 ? 32 : 128
  if (prefix === undefined) return [address, most]
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= most ? [address, Number(prefix)] : undefined
}

/**
 * Makes the test of whether sources may be fetched from an IP address: from a public one, and from those in `networks` (CIDR). IPv6 forms
 * of an IPv4 address (mapped, and NAT64's 64:ff9b::/96) are judged as that address.
 */
export function createAddressTest(networks: readonly string[]): (address: string) => boolean {
  const allowed = listOf(networks.flatMap((text) => [parseNetwork(text)].filter((each) => each !== undefined)))
  return (address) => {
    const plain = embeddedIPv4(address) ?? address
    return isIP(plain) !== 0 && (allowed(plain) || !notPublic(plain))
  }
}

function listOf(networks: readonly [network: string, prefix: number][]): (address: string) => boolean {
  // Apart, since a BlockList takes an IPv4 address for an IPv6 one too.
  const lists = {ipv4: new BlockList(), ipv6: new BlockList()}
  for (const [network, prefix] of networks) lists[familyOf(network)].addSubnet(network, prefix, familyOf(network))
  return (address) => lists[familyOf(address)].check(address, familyOf(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

function embeddedIPv4(address: string): string | undefined {
  if (isIP(address) !== 6) return undefined
  const [bare = ''] = address.split('%')
  // The URL parser writes every IPv6 address in its one short form.
  const short = URL.parse(`http://[${bare}]`)?.hostname.slice(1, -1)
  const found = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short ?? '')
  if (found === null) return /^64:ff9b::/.test(short ?? '') ? '0.0.0.0' : undefined
  const number = Number.parseInt(found[1] ?? '', 16) * 0x10000 + Number.parseInt(found[2] ?? '', 16)
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
}
